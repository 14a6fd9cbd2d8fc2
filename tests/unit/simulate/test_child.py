"""The simulator child over its pipes, as `measure` uses it."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from sq_micro.simulate.packets import Kind
from tests.unit.simulate.bare_elf import FLASH, elf_bytes, write_elf
from tests.unit.simulate.child_run import ROOT, Child
from tests.unit.simulate.firmware_images import CMSDK, STM32, EchoFirmware, countdown_cycles

pytest.importorskip("unicorn", reason="unicorn is not installed")
pytestmark = pytest.mark.simulator

BOTH = pytest.mark.parametrize("firmware", [STM32, CMSDK], ids=lambda firmware: firmware.board)


def start(folder: Path, firmware: EchoFirmware, environment: dict[str, str] | None = None) -> Child:
    elf = write_elf(folder / "firmware.elf", firmware.code, firmware.origin)
    return Child(elf, firmware.board, environment)


def run_code(folder: Path, code: str, symbols: dict[str, int] | None = None) -> Child:
    return Child(write_elf(folder / "firmware.elf", bytes.fromhex(code), symbols=symbols))


@BOTH
def test_firmware_that_times_itself_sees_the_models_cycles(tmp_path: Path, firmware: EchoFirmware) -> None:
    with start(tmp_path, firmware) as child:
        for n in (1, 2, 100):
            child.send(bytes([n]))
            assert struct.unpack("<I", child.uart(4)) == (countdown_cycles(n),)


@BOTH
def test_bytes_of_one_packet_are_read_one_by_one(tmp_path: Path, firmware: EchoFirmware) -> None:
    with start(tmp_path, firmware) as child:
        child.send(bytes(range(1, 51)))
        assert struct.unpack("<50I", child.uart(200)) == tuple(countdown_cycles(n) for n in range(1, 51))


def test_counters_hold_the_last_reads_of_the_cycle_counter(tmp_path: Path) -> None:
    with start(tmp_path, STM32) as child:
        for n in (*[1] * 250, *range(1, 41)):
            child.send(bytes([n]))
            child.uart(4)
        counters = child.counters()
    reads = counters["reads"]
    assert len(reads) == 512
    assert [after[1] - before[1] for before, after in zip(reads[-2::-2], reads[::-2], strict=True)][:3] == [
        countdown_cycles(40), countdown_cycles(39), countdown_cycles(38)
    ]  # fmt: skip
    assert reads[-1][0] - reads[-2][0] == 2 * 40 + 6
    assert counters["instructions"] > reads[-1][0]
    assert counters["cycles"] > reads[-1][1]


def test_waiting_for_the_host_takes_no_cycles(tmp_path: Path) -> None:
    with start(tmp_path, STM32) as child:
        first = child.counters()
        assert child.counters() == first


@BOTH
def test_the_hook_in_python_counts_the_same(tmp_path: Path, firmware: EchoFirmware) -> None:
    answers = []
    for setting in ("0", "1"):
        with start(tmp_path, firmware, {"SQ_MICRO_PYTHON_HOOK": setting}) as child:
            child.send(bytes([200, 3, 1, 77]))
            child.uart(16)
            answers.append(child.counters())
    assert answers[0] == answers[1]


def test_the_end_of_input_ends_the_child_with_zero(tmp_path: Path) -> None:
    child = start(tmp_path, STM32)
    child.send(b"\x05")
    child.uart(4)
    assert child.close() == 0


def test_input_before_the_end_is_still_answered(tmp_path: Path) -> None:
    child = start(tmp_path, STM32)
    child.send(b"\x05\x06")
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert len(child.uart(8)) == 8
    assert child.receive() is None
    assert child.process.wait(30) == 0
    assert child.process.stdout is not None
    child.process.stdout.close()


def test_an_image_for_another_architecture_is_refused(tmp_path: Path) -> None:
    elf = write_elf(tmp_path / "firmware.elf", STM32.code, STM32.origin)
    with Child(elf, "hifive1_revb") as child:
        assert "firmware.elf: is for arm, hifive1_revb is riscv" in child.error()


@pytest.mark.slow
def test_a_child_that_computes_for_ever_ends_after_its_parent(tmp_path: Path) -> None:
    child = run_code(tmp_path, "fee7")  # 1: b 1b
    assert child.close() == 0


def test_semihosting_ends_the_run_and_the_counters_stay(tmp_path: Path) -> None:
    with run_code(tmp_path, "1820abbe") as child:  # movs r0, #0x18; bkpt 0xab
        assert child.counters() == {"instructions": 2, "cycles": 2, "reads": []}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("4ff0c040 0168", "reads 4 B from 0x60000000, where nothing is, at broken+0x4 (0x0800000c)"),
        ("4ff0c040 0160", "writes 4 B to 0x60000000, where nothing is, at broken+0x4"),
        ("4ff0c040 0047", "jumps to 0x60000000"),
        ("4ff00060 0160", "writes 4 B to 0x08000000, which is flash, at broken+0x4"),
        ("00bf 00de", "an undefined instruction, at broken+0x2"),
        ("00bf 01be", "a breakpoint (BKPT), at broken+0x2"),
        ("00bf 00df", "a supervisor call (SVC)"),
        ("00bf 30bf", "sleep (WFI or WFE)"),
        ("48f22800 c4f20000 0160", "sends through a UART whose transmitter is not enabled"),
    ],
)  # fmt: skip
def test_a_fault_says_what_and_where(tmp_path: Path, code: str, expected: str) -> None:
    # mov.w r0, #0x60000000 or #0x08000000, or r0 = address of TDR; then ldr r1, [r0] or str r1, [r0] or bx r0
    child = run_code(tmp_path, code.replace(" ", "") + "fee7", {"broken": 0})
    assert expected in child.error()
    assert child.close() == 6


def test_registers_behave_as_memory_and_ready_bits_are_set(tmp_path: Path) -> None:
    # movw r0, #0x1000; movt r0, #0x4002; movs r1, #1; str r1, [r0]; ldr r3, [r0]   RCC_CR: PLLRDY, MSIRDY
    # then r3 is where to jump: it is not mapped, and the error tells its value
    with run_code(tmp_path, "41f20000c4f202000121016003681847") as child:
        assert "jumps to 0x02000002" in child.error()


def test_what_was_sent_comes_before_the_error(tmp_path: Path) -> None:
    # movw r7, #0x8000; movt r7, #0x4000; movs r1, #13; str r1, [r7]; str r1, [r7, #0x28]; udf #0
    with run_code(tmp_path, "48f20007c4f200070d213960b96200de") as child:
        assert child.receive() == (Kind.UART, b"\r")
        assert "undefined instruction" in child.error()


def test_an_image_for_another_board_is_refused(tmp_path: Path) -> None:
    with Child(write_elf(tmp_path / "firmware.elf", CMSDK.code, CMSDK.origin), "nucleo_l4r5zi") as child:
        assert "outside the board's memories" in child.error()


def test_an_image_without_a_vector_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "firmware.elf").write_bytes(elf_bytes(b"\xff" * 64, FLASH, {}))
    with Child(tmp_path / "firmware.elf") as child:
        assert "no vector table at 0x08000000" in child.error()


def test_a_board_without_a_simulator_is_refused(tmp_path: Path) -> None:
    with Child(write_elf(tmp_path / "firmware.elf", STM32.code), "host") as child:
        assert "cannot be simulated" in child.error()


def test_an_unknown_board_is_an_error_packet(tmp_path: Path) -> None:
    with Child(write_elf(tmp_path / "firmware.elf", STM32.code), "nucleo_l4r5z") as child:
        assert "did you mean 'nucleo_l4r5zi'" in child.error()


def test_a_packet_of_another_kind_is_an_error(tmp_path: Path) -> None:
    with start(tmp_path, STM32) as child:
        child.send(b"temperature", Kind.CONTROL)
        assert "does not understand" in child.error()


def test_without_unicorn_the_error_says_what_to_install(tmp_path: Path) -> None:
    program = "import sys; sys.modules['unicorn'] = None; from sq_micro.simulate.__main__ import main; sys.exit(main())"
    elf = write_elf(tmp_path / "firmware.elf", STM32.code)
    child = Child(elf, command=("-c", program))
    assert "pip install 'sq-micro[sim]'" in child.error()
    assert child.close() == 5


def test_without_a_compiler_it_counts_in_python(tmp_path: Path) -> None:
    # zig is found through Python, so a PATH without compilers is not enough
    program = (
        "import sys; from sq_micro.simulate import native_library; native_library.compilers = lambda: ();"
        "from sq_micro.simulate.__main__ import main; sys.exit(main())"
    )
    elf = write_elf(tmp_path / "firmware.elf", STM32.code)
    with Child(elf, environment={"XDG_CACHE_HOME": str(tmp_path)}, command=("-c", program)) as child:
        child.send(b"\x09")
        assert struct.unpack("<I", child.uart(4)) == (countdown_cycles(9),)


def test_unicorn_stays_inside_the_child() -> None:
    """Its core is under the GPL: only what runs in the child may import it."""
    program = """
import importlib, pkgutil, sys, sq_micro.simulate as room
for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
    if module.name.rpartition(".")[2] not in ("machine", "cores", "native_hooks"):
        importlib.import_module(module.name)
sys.exit("unicorn" in sys.modules)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_host_that_stops_reading_ends_the_child(tmp_path: Path) -> None:
    child = start(tmp_path, STM32)
    assert child.process.stdout is not None
    child.process.stdout.close()
    child.send(b"\x05")
    assert child.process.wait(30) == 0
    assert child.process.stdin is not None
    child.process.stdin.close()
