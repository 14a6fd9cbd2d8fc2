"""Our decoder of RV32 code and capstone read the same instructions in a whole image."""

from __future__ import annotations

import capstone
import pytest
from capstone import riscv

from sq_micro.simulate.cycles.decode_riscv import RiscvDecoder
from sq_micro.simulate.image import load_image
from tests.boards.images import image

# They share images, which are built once in each process.
pytestmark = pytest.mark.xdist_group("boards")

_KEPT = ("lb", "lh", "lw", "lbu", "lhu", "sb", "sh", "sw", "jal", "jalr")
_KEPT += ("mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu")
_RENAMED = {"lwsp": "lw", "swsp": "sw", "j": "jal", "jr": "jalr", "ret": "jalr", "ecall": "system", "ebreak": "system"}


def kind(mnemonic: str) -> str:
    """What our decoder calls it."""
    name = mnemonic.removeprefix("c.")
    if name in _KEPT:
        return name
    if name.startswith("b") and name not in ("bset", "bclr"):
        return "branch"
    if name.startswith("csr"):
        return "csr"
    return _RENAMED.get(name, "op")


def test_capstone_reads_the_same() -> None:
    loaded = load_image(image("hifive1_revb", "auto").elf)
    decoder = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)
    decoder.detail = True
    seen = 0
    for address, size_bytes in loaded.functions:
        code = loaded.read(address, size_bytes)
        ours = RiscvDecoder().decode(code, address)
        theirs = list(decoder.disasm(code, address))
        for mine, other in zip(ours, theirs, strict=False):
            where = f"{other.mnemonic} {other.op_str} at {other.address:#x}"
            assert (mine.address, mine.size_bytes, mine.mnemonic) == (
                other.address,
                other.size,
                kind(other.mnemonic),
            ), where
            assert mine.conditional == (mine.mnemonic == "branch")
            named = {o.reg - riscv.RISCV_REG_X0 for o in other.operands if o.type == riscv.RISCV_OP_REG}
            named |= {o.mem.base - riscv.RISCV_REG_X0 for o in other.operands if o.type == riscv.RISCV_OP_MEM}
            if mine.mnemonic not in ("jal", "jalr", "system", "csr"):  # aliases leave registers out
                assert mine.reads | mine.writes == named - {0}, where
            seen += 1
    assert seen > 2000
