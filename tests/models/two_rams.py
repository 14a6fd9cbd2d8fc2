"""Boards whose RAM is in two small regions: shipped ones with less memory, so that small networks need both."""

from __future__ import annotations

import re
from pathlib import Path

from sq_micro.board import Board, load_board

SIMULATED, EMULATED = "stm32f4_discovery", "mps2_an386"
_FASTER = '\n[memory.ccm]\norigin = 0x2010_0000\nsize_bytes = { value = 1, source = "for a test" }\nspeed_rank = 0\n'


def board_with(name: str, sram_bytes: int, ccm_bytes: int, folder: Path) -> Board:
    """A board with so much memory in its main region and in a faster one, `ccm`, which is added where there is none."""
    text = load_board(name).source_file.read_text(encoding="utf-8")
    if "[memory.ccm]" not in text:
        text = re.sub(r"(\[memory\.sram\]\n)", r"\g<1>speed_rank = 1\n", text).replace("\n[uart]", f"{_FASTER}\n[uart]")
    for region, size in (("sram", sram_bytes), ("ccm", ccm_bytes)):
        text, count = re.subn(rf"(\[memory\.{region}\][^\[]*?value = )[\d_]+", rf"\g<1>{size}", text)
        assert count == 1
    path = folder / f"{name}_two_rams.toml"
    path.write_text(text, encoding="utf-8")
    return load_board(path)
