"""The firmware for real cores: it builds clean with both compilers, and runs in QEMU, faults included."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import DeviceError
from sq_micro.measure.harness import measure
from sq_micro.measure.link.qemu_link import QemuLink
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from tests.unit.measure.fake_firmware import (
    FAULT_BYTE,
    HOST,
    MODEL_BYTES,
    MODEL_HASH,
    MPS2,
    NUCLEO,
    OVERFLOW_BYTE,
    STACK_BYTES,
    FakeBoard,
    build_fake_firmware,
    missing,
)

needs_arm_gcc = pytest.mark.skipif(
    bool(missing("cmake", "ninja", "arm-none-eabi-gcc")), reason="arm-none-eabi-gcc, cmake or ninja is not installed"
)
needs_qemu = pytest.mark.skipif(bool(missing("qemu-system-arm")), reason="qemu-system-arm is not installed")
needs_simulator = pytest.mark.skipif(
    importlib.util.find_spec("unicorn") is None or importlib.util.find_spec("sq_micro.simulate.__main__") is None,
    reason="the simulator is not installed: pip install unicorn",
)
needs_zig = pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed")


@pytest.fixture(scope="module")
def mps2_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_fake_firmware(tmp_path_factory.mktemp("mps2"), MPS2)


def sizes(elf: Path) -> dict[str, int]:
    said = subprocess.run(["arm-none-eabi-nm", "-S", str(elf)], capture_output=True, text=True, check=True).stdout
    return {name: int(size, 16) for size, name in re.findall(r"^\w+ (\w+) \w (\w+)$", said, re.MULTILINE)}


@needs_arm_gcc
def test_the_nucleo_image_is_small_and_whole(tmp_path: Path) -> None:
    elf = build_fake_firmware(tmp_path, NUCLEO)
    found = sizes(elf)
    assert {"sqm_reset", "sqm_cycles_now", "sqm_server_poll", "sqm_fault"} <= found.keys()
    model = sum(size for name, size in found.items() if name.startswith("sqm_fake"))
    sections = subprocess.run(["arm-none-eabi-size", str(elf)], capture_output=True, text=True, check=True).stdout
    text_bytes, data_bytes = map(int, sections.splitlines()[1].split()[:2])
    assert text_bytes + data_bytes < 3072 + model
    undefined = subprocess.run(["arm-none-eabi-nm", "-u", str(elf)], capture_output=True, text=True, check=True).stdout
    assert not undefined.strip()
    dump = subprocess.run(
        ["arm-none-eabi-objdump", "-s", "-j", ".text", str(elf)], capture_output=True, text=True, check=True
    ).stdout
    first = dump.split("Contents of section .text:")[1].split()
    assert first[0] == "8000000", "the vector table leads"
    stack_top = int.from_bytes(bytes.fromhex(first[1]), "little")
    assert stack_top == 0x2000_0000 + STACK_BYTES


@needs_arm_gcc
def test_no_memory_function_calls_another(mps2_firmware: Path, tmp_path: Path) -> None:
    objects = list(mps2_firmware.parent.rglob("memory.c.o*"))
    assert len(objects) == 1
    calls = subprocess.run(["arm-none-eabi-nm", "-u", str(objects[0])], capture_output=True, text=True, check=True)
    assert not calls.stdout.strip()


@needs_zig
@pytest.mark.slow
@pytest.mark.parametrize("board", [NUCLEO, MPS2, HOST], ids=lambda board: board.name)
def test_zig_builds_the_same_sources(board: FakeBoard, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("ziglang")
    assert spec is not None
    assert spec.origin is not None
    zig = Path(spec.origin).parent / "zig"
    image = build_fake_firmware(tmp_path, board, "zig", f"{zig};cc")
    if board is MPS2 and not missing("qemu-system-arm"):
        check_outputs(image)


def check_outputs(elf: Path) -> None:
    samples = np.random.default_rng(1).integers(-128, 126, (4, MODEL_BYTES)).astype(np.int8)
    with Session(QemuLink(elf, "mps2-an386"), model_hash=MODEL_HASH, timeout_s=20) as session:
        found = measure(session, samples, np.ascontiguousarray(samples[:, ::-1]), runs=6)
    assert found.identical == 4
    assert found.cycles is None, "QEMU's DWT stands still, and the firmware has noticed"
    assert found.stack_reserved_bytes == STACK_BYTES
    assert found.stack_used_bytes is not None
    assert 32 <= found.stack_used_bytes <= 256


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
def test_the_firmware_runs_in_qemu(mps2_firmware: Path) -> None:
    check_outputs(mps2_firmware)


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
def test_a_fault_is_reported_with_its_place_and_cause(mps2_firmware: Path) -> None:
    with Session(QemuLink(mps2_firmware, "mps2-an386"), timeout_s=20) as session:
        session.write_input(bytes((FAULT_BYTE,)) * MODEL_BYTES)
        for _ in range(2):  # it says so again to whoever asks again
            with pytest.raises(DeviceError) as caught:
                session.invoke()
            assert caught.value.status == "FAULT"
            assert "cfsr 0x00008200, hfsr 0x40000000, bfar 0xa0000004" in caught.value.message
    pc = int(re.search(r"pc (0x\w+)", caught.value.message)[1], 16)  # type: ignore[index]
    where = subprocess.run(
        ["arm-none-eabi-addr2line", "-f", "-e", str(mps2_firmware), hex(pc)], capture_output=True, text=True, check=True
    ).stdout
    assert "sqm_fake.c" in where


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
def test_a_fault_is_reported_when_the_stack_is_lost(mps2_firmware: Path) -> None:
    with Session(QemuLink(mps2_firmware, "mps2-an386"), timeout_s=20) as session:
        session.write_input(bytes((OVERFLOW_BYTE,)) * MODEL_BYTES)
        with pytest.raises(DeviceError, match="FAULT: pc 0x00000000") as caught:
            session.invoke()
    assert "hfsr 0x40000000" in caught.value.message
    assert "raise stack_bytes" in caught.value.message


@needs_arm_gcc
@needs_simulator
@pytest.mark.simulator
@pytest.mark.parametrize("board", [NUCLEO, MPS2], ids=lambda board: board.name)
def test_the_firmware_counts_its_cycles_on_the_simulated_core(board: FakeBoard, tmp_path: Path) -> None:
    elf = build_fake_firmware(tmp_path, board)
    samples = np.random.default_rng(2).integers(-128, 126, (3, MODEL_BYTES)).astype(np.int8)
    with Session(SimulatorLink(elf, board.name), model_hash=MODEL_HASH) as session:
        found = measure(session, samples, np.ascontiguousarray(samples[:, ::-1]), runs=3)
    assert found.identical == 3
    assert found.cycle_source == "modelled"
    assert found.cycles is not None
    assert found.instructions is not None
    assert found.operator_cycles is not None
    # A byte takes four instructions or more to reverse; the same code takes the same time every time.
    assert 3 * MODEL_BYTES < found.instructions[0] < found.cycles[0] < 20 * MODEL_BYTES
    assert len(set(found.cycles)) == len(set(found.instructions)) == 1
    assert max(found.operator_cycles) == found.operator_cycles[1], "the second operator is the one that reverses"
    assert found.stack_used_bytes is not None
    assert 32 <= found.stack_used_bytes <= 256
