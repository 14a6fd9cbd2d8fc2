"""Each rule of the cycle model, by code that times itself with the cycle counter in the simulator child."""

from __future__ import annotations

import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.unit.simulate.bare_elf import write_elf
from tests.unit.simulate.child_run import Child
from tests.unit.simulate.timed_kernels import KERNELS, Kernel

pytest.importorskip("unicorn", reason="unicorn is not installed")
pytestmark = pytest.mark.simulator

# The child keeps the last 64 reads of the cycle counter, two for each kernel.
_AT_ONCE = 32
_NOP = bytes.fromhex("00bf")
_NEXT = bytes.fromhex("00e0 00bf")  # b .+4; nop: a block ends, the next one begins two bytes further on
_READ = bytes.fromhex("4268") + _NEXT  # ldr r2, [r0, #4]
_READ_CYCLES = 2 + 3  # LDR and B: the block of the second read
_LEAVE_CYCLES = 3  # B at the end of the kernel

# movw r0, #0xedfc; movt r0, #0xe000; mov.w r1, #0x01000000; str r1, [r0]    DEMCR.TRCENA
# movw r0, #0x1000; movt r0, #0xe000; movs r1, #1; str r1, [r0]              DWT_CTRL.CYCCNTENA
# movw r6, #0x0800; movt r6, #0x2000; movs r4, #3; movs r5, #0               registers of the kernels
_START = bytes.fromhex(
    "4ef6fc50cef200004ff08071016041f20000cef200000121016040f60006c2f2000603240025"
)  # fmt: skip
_END = bytes.fromhex("1820abbe")  # movs r0, #0x18; bkpt 0xab: semihosting's SYS_EXIT


def _program(kernels: tuple[Kernel, ...]) -> bytes:
    """Each kernel, at a word boundary, between two reads of CYCCNT that are blocks of their own."""
    code = _START
    for kernel in kernels:
        code += _NOP if (len(code) + len(_READ)) % 4 else b""
        code += _READ + kernel.code + _NEXT + _READ
    return code + _END


@cache
def _measured(folder: Path) -> dict[str, int]:
    cycles: dict[str, int] = {}
    for first in range(0, len(KERNELS), _AT_ONCE):
        kernels = KERNELS[first : first + _AT_ONCE]
        with Child(write_elf(folder / f"rules{first}.elf", _program(kernels))) as child:
            reads = child.counters()["reads"]
        assert len(reads) == 2 * len(kernels)
        for kernel, before, after in zip(kernels, reads[::2], reads[1::2], strict=True):
            cycles[kernel.rule] = after[1] - before[1] - _READ_CYCLES - _LEAVE_CYCLES
    return cycles


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    return _measured(tmp_path_factory.mktemp("rules"))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.rule)
def test_rule(kernel: Kernel, measured: dict[str, int]) -> None:
    assert measured[kernel.rule] == kernel.cycles, kernel.assembly


def test_the_bytes_are_what_the_assembler_makes(tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    source = ".syntax unified\n.thumb\n"
    for index, kernel in enumerate(KERNELS):
        body = kernel.assembly.replace(";", "\n")
        source += f'.section .text{index},"ax"\n.word {len(kernel.code)}\n{body}\n'
    (tmp_path / "kernels.s").write_text(source)
    options = ("-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
    subprocess.run(["arm-none-eabi-gcc", *options, "-c", "kernels.s", "-o", "kernels.o"], cwd=tmp_path, check=True)
    for index, kernel in enumerate(KERNELS):
        name = f".text{index}"
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "-j", name, "kernels.o", "kernel.bin"],
                       cwd=tmp_path, check=True)  # fmt: skip
        content = (tmp_path / "kernel.bin").read_bytes()
        assert content[:4] == struct.pack("<I", len(kernel.code)), kernel.rule
        assert content[4:][: len(kernel.code)] == kernel.code, kernel.rule
