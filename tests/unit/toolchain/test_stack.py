"""Worst-case stack depth against what the compiler itself says, and against a stack that was used."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from sq_micro.errors import ToolchainError
from sq_micro.measure.harness import measure
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from sq_micro.reference.interpreter import run
from sq_micro.toolchain.firmware import Firmware
from sq_micro.toolchain.stack import EXCEPTION_FRAME_BYTES, reaches, worst_case_stack
from tests.golden.codegen.models import mixed
from tests.models.random_quant_graph import random_codes
from tests.unit.codegen.generated_program import missing, ran
from tests.unit.toolchain.images import NUCLEO

pytestmark = pytest.mark.skipif(bool(missing("arm-none-eabi-gcc")), reason="arm-none-eabi-gcc is not installed")

CHAIN = """
#define APART __attribute__((noinline))
void touch(volatile int *values) { values[0] = values[1]; }
APART int leaf(int x) { volatile int values[40]; touch(values); return values[x]; }
APART int wide(int x) { volatile int values[100]; touch(values); return values[x] + 1; }
APART int deep(int x) { volatile int values[8]; touch(values); return leaf(x) + values[x]; }
APART int tail(int x) { return deep(x + 1); }
APART double floats(double a, double b) { volatile double kept[4]; kept[0] = a * b; return kept[1] + deep((int)a); }
int sqm_reset(int x) { volatile int values[2]; touch(values); return wide(x) + tail(x) + (int)floats(x, x); }
"""


def linked(text: str, folder: Path, *flags: str) -> Path:
    """An image of one file, and beside it what gcc says of the frame of each function."""
    source = folder / "chain.c"
    source.write_text(text, encoding="utf-8")
    core = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
    ran("arm-none-eabi-gcc", *core, "-O1", "-fstack-usage", *flags, "-c", source, "-o", folder / "chain.o")
    linking = ("-nostdlib", "-Wl,-e,sqm_reset", "-Wl,--unresolved-symbols=ignore-all")
    ran("arm-none-eabi-gcc", *core, *linking, folder / "chain.o", "-lgcc", "-o", folder / "chain.elf")
    return folder / "chain.elf"


def frames(folder: Path) -> dict[str, int]:
    text = (folder / "chain.su").read_text(encoding="utf-8")
    return {name: int(size) for name, size in re.findall(r":(\w+)\t(\d+)\t", text)}


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-Os"])
def test_the_deepest_path_is_the_sum_of_gccs_frames(level: str, tmp_path: Path) -> None:
    found = worst_case_stack(linked(CHAIN, tmp_path, level))
    said = frames(tmp_path)
    assert found.path[0] == "sqm_reset"
    known = [name for name in found.path if name in said]
    expected = sum(said[name] for name in known)
    if len(known) == len(found.path):
        assert found.bytes == expected
    else:  # the path ends in a function of libgcc, of which gcc says nothing
        assert found.bytes >= expected
    calls = [("wide",), ("tail", "deep", "leaf"), ("deep", "leaf"), ("floats", "deep", "leaf")]
    present = [[name for name in path if name in said] for path in calls]
    assert found.bytes >= said["sqm_reset"] + max(sum(said[name] for name in path) for path in present)


POINTERS = """
#define APART __attribute__((noipa))
APART void touch(volatile int *values) { values[0] = values[1]; }
APART int leaf(int x) { volatile int values[40]; touch(values); return values[x]; }
APART int wide(int x) { volatile int values[100]; touch(values); return values[x] + 1; }
APART int asks(int (*way)(int), int x) { return way(x) + 1; }
APART int op00(int x) { volatile int values[8]; touch(values); return asks(x ? leaf : wide, x) + values[0]; }
APART int op01(int x) { volatile int values[4]; touch(values); return asks(leaf, x) + values[0]; }
APART int op02(int x) { volatile int values[60]; touch(values); return values[x]; }
int sqm_reset(int x) { return op00(x) + op01(x) + op02(x); }
"""


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7"])
def test_what_is_called_through_a_pointer_is_on_the_path(core: str, tmp_path: Path) -> None:
    elf = linked(POINTERS, tmp_path, f"-mcpu={core}", "-mfpu=auto")
    assert worst_case_stack(elf).path[:4] == ("sqm_reset", "op00", "asks", "wide")


def test_a_number_that_equals_a_place_of_code_is_no_function(tmp_path: Path) -> None:
    """Addresses of Thumb functions are odd. Small images begin at address 0, where numbers are small, too."""
    number = '{ int y; __asm__("ldr %0, 1f; b 2f; .balign 4; 1: .word %c1; 2:" : "=r"(y) : "i"(NUMBER)); return y + '
    text = POINTERS.replace("sqm_reset(int x) { return ", f"sqm_reset(int x) {number}")
    elf = linked(text, tmp_path, "-DNUMBER=0x12345678")
    with elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        (reset,) = table.get_symbol_by_name("sqm_reset")
    start = reset["st_value"] & ~1
    assert worst_case_stack(linked(text, tmp_path, f"-DNUMBER={start:#x}")).path[0] == "sqm_reset"
    with pytest.raises(ToolchainError, match="recursive"):
        worst_case_stack(linked(text, tmp_path, f"-DNUMBER={start + 1:#x}"))


def test_what_an_operator_reaches(tmp_path: Path) -> None:
    found, rest = reaches(linked(POINTERS, tmp_path), ("op00", "op01", "op02", "op03"))
    said = frames(tmp_path)
    assert {name: set(reach.calls) for name, reach in found.items()} == {
        "op00": {"touch", "asks", "leaf", "wide"},
        "op01": {"touch", "asks", "leaf"},
        "op02": {"touch"},
    }
    assert rest == said["sqm_reset"]
    assert found["op02"].stack_bytes == said["sqm_reset"] + said["op02"] + said["touch"]
    assert max(reach.stack_bytes for reach in found.values()) == said["sqm_reset"] + sum(
        said[name] for name in ("op00", "asks", "wide", "touch")
    )


def test_what_the_image_has_anyway_is_no_operators(tmp_path: Path) -> None:
    text = POINTERS.replace("return op00(x)", "return leaf(x) + op00(x)")
    found, rest = reaches(linked(text, tmp_path), ("op00", "op01", "op02"))
    assert {name: set(reach.calls) for name, reach in found.items()} == {
        "op00": {"asks", "wide"},
        "op01": {"asks"},
        "op02": set(),
    }
    assert rest == sum(frames(tmp_path)[name] for name in ("sqm_reset", "leaf", "touch"))


def test_recursion_has_no_bound(tmp_path: Path) -> None:
    text = "int sqm_reset(int x);\n__attribute__((noinline)) int down(int x) { return x ? sqm_reset(x - 1) * x : 1; }\n"
    text += "int sqm_reset(int x) { return down(x) + 1; }\n"
    with pytest.raises(ToolchainError, match=r"'(down|sqm_reset)' is recursive; its stack has no bound"):
        worst_case_stack(linked(text, tmp_path))


def test_a_literal_that_looks_like_a_call_is_none(tmp_path: Path) -> None:
    text = '__attribute__((naked)) int leaf(int x) { __asm__("push {r4, lr}; pop {r4, pc}; .word 0xF800F000"); }\n'
    text += "int sqm_reset(int x) { return leaf(x) + 1; }\n"  # the word is BL to what follows, which is sqm_reset
    assert worst_case_stack(linked(text, tmp_path)).path == ("sqm_reset", "leaf")


def test_an_array_of_variable_length_has_no_bound(tmp_path: Path) -> None:
    text = "void use(volatile char *p) { *p = 1; }\nint sqm_reset(int n) { volatile char a[n]; use(a); return a[0]; }\n"
    with pytest.raises(ToolchainError, match="'sqm_reset': an array of variable length is on the stack"):
        worst_case_stack(linked(text, tmp_path))


def test_a_large_frame_is_not_overlooked(tmp_path: Path) -> None:
    text = (
        "void use(volatile char *p) { *p = 1; }\nint sqm_reset(void) { volatile char a[70000]; use(a); return a[9]; }\n"
    )
    elf = linked(text, tmp_path)
    assert worst_case_stack(elf).bytes == frames(tmp_path)["sqm_reset"] >= 70000


def test_an_image_without_the_entry_or_without_symbols(tmp_path: Path) -> None:
    elf = linked(CHAIN, tmp_path)
    with pytest.raises(ToolchainError, match=r"chain\.elf has no function 'main'"):
        worst_case_stack(elf, "main")
    ran("arm-none-eabi-strip", elf)
    with pytest.raises(ToolchainError, match=r"chain\.elf has no symbols"):
        worst_case_stack(elf)


def test_the_firmware_calls_nothing_through_a_pointer(nucleo_firmware: Firmware) -> None:
    """Such a call would be invisible to the sum; kernels that are passed as arguments must have been inlined."""
    code = ran("arm-none-eabi-objdump", "-d", nucleo_firmware.elf).decode()
    assert "\tbl\t" in code
    assert not re.search(r"\tblx\t(r\d|ip|sl|fp)|\tbx\t(r\d|ip)", code)


def test_the_worst_case_of_the_firmware_leads_through_the_model(nucleo_firmware: Firmware) -> None:
    path = nucleo_firmware.worst_stack_path
    assert path[0] == "sqm_reset"
    assert any(name.startswith("op") for name in path)
    assert nucleo_firmware.worst_stack_bytes == worst_case_stack(nucleo_firmware.elf).bytes + EXCEPTION_FRAME_BYTES


@pytest.mark.simulator
@pytest.mark.skipif(importlib.util.find_spec("unicorn") is None, reason="the simulator is not installed")
def test_a_stack_in_use_stays_below_the_worst_case(nucleo_firmware: Firmware) -> None:
    graph = mixed()
    codes = random_codes(graph, 3)
    with Session(SimulatorLink(nucleo_firmware.elf, NUCLEO), model_hash=graph.digest().hex()) as session:
        found = measure(session, codes.reshape(3, -1), run(graph, codes).reshape(3, -1), runs=1)
    assert found.identical == 3
    assert found.stack_used_bytes is not None
    assert nucleo_firmware.worst_stack_bytes is not None
    assert 0 < found.stack_used_bytes <= nucleo_firmware.worst_stack_bytes


LITERAL = """
__attribute__((naked, aligned(4))) void sqm_reset(void) { __asm volatile("push {lr}\\n bl other\\n pop {pc}"); }
__attribute__((naked, used)) void other(void)
{
    __asm volatile("push {r4}\\n pop {r4}\\n bx lr\\n nop\\n .hword 0xe7f6, 0");
}
"""


def test_data_between_instructions_that_look_like_a_call_are_none(tmp_path: Path) -> None:
    """0xE7F6 behind `other` would be a branch to sqm_reset, and the two recursive."""
    elf = linked(LITERAL, tmp_path)
    dump = ran("arm-none-eabi-objdump", "-d", "-M", "force-thumb", elf).decode()
    assert "0000e7f6" in dump
    assert worst_case_stack(elf).path == ("sqm_reset", "other")
    assert worst_case_stack(elf).bytes == 8
