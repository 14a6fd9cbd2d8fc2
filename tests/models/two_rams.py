"""Boards whose RAM is in two small regions: shipped ones with less memory, so that small networks need both. And such
networks.
"""

from __future__ import annotations

import re
from pathlib import Path

from sq_micro.board import Board, load_board
from sq_micro.ir.operators import RELU
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import RandomQuantGraph

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


def residual() -> QuantGraph:
    """A skip tensor stays while two convolutions work beside it."""
    builder = RandomQuantGraph(1, (12, 12, 3))
    x = builder.conv2d(builder.input, 8, activation=RELU, bits=4)
    y = builder.conv2d(builder.depthwise_conv2d(x, activation=RELU, bits=8), 8, bits=4)
    x = builder.conv2d(builder.add(x, y, RELU), 12, (3, 3), (2, 2), bits=8)
    return builder.build(builder.softmax(builder.dense(builder.mean(x), 5, bits=8)))


def inverted_residual() -> QuantGraph:
    """A wide tensor between a narrow one and its successor, as in MobileNetV2, on 96x96x3: 166 KB are live at once."""
    builder = RandomQuantGraph(2, (96, 96, 3))
    x = builder.conv2d(builder.input, 12, stride=(2, 2), activation=RELU, bits=8)
    y = builder.conv2d(x, 48, (1, 1), activation=RELU, bits=4)
    y = builder.conv2d(builder.depthwise_conv2d(y, activation=RELU, bits=4), 12, (1, 1), bits=4)
    x = builder.conv2d(builder.add(x, y), 24, (3, 3), (2, 2), activation=RELU, bits=4)
    return builder.build(builder.softmax(builder.dense(builder.mean(x), 5, bits=8)))
