"""Which tool, which probe, and what is believed of the result. The tools are scripts that say what real ones say."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from sq_micro.board import Board, Esptool, Flasher, MassStorage, Uf2, load_board
from sq_micro.errors import LinkError, ToolchainError, UsageError
from sq_micro.measure.flash import flash as flash_module
from sq_micro.measure.flash import perform as perform_module
from sq_micro.measure.flash.flash import FlashOptions, choose_probe, flash
from sq_micro.measure.flash.volume import copy_to_volume
from sq_micro.measure.link.serial_port import ConnectedPort
from tests.unit.measure.bridges import on_pty
from tests.unit.measure.fake_firmware import MODEL_HASH, NUCLEO, build_fake_firmware, missing

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the tools are shell scripts")
needs_arm_gcc = pytest.mark.skipif(
    bool(missing("cmake", "ninja", "arm-none-eabi-gcc")), reason="arm-none-eabi-gcc, cmake or ninja is not installed"
)

STLINK = ConnectedPort("/dev/ttyACM0", "STM32 STLink", "0483:374b", "066BFF")
SECOND = ConnectedPort("/dev/ttyACM1", "STM32 STLink", "0483:374b", "0672FF")


@pytest.fixture
def nucleo() -> Board:
    return load_board("nucleo_l4r5zi")


@pytest.fixture
def elf(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.elf"
    path.write_bytes(b"\x7fELF")
    return path


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which tools are found."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    monkeypatch.setattr(flash_module, "_PROGRAMS", {name: (name,) for name in ("openocd", "pyocd", "esptool")})
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(folder))
    monkeypatch.setattr(flash_module, "find_volume", lambda _: None)
    monkeypatch.setattr(flash_module, "connected_ports", lambda: (STLINK,))
    return folder


def install(tools: Path, name: str, says: str, code: int = 0) -> None:
    script = tools / name
    script.write_text(f'#!/bin/sh\necho "$@" >> "{tools}/{name}.asked"\necho "{says}"\nexit {code}\n')
    script.chmod(0o755)


def asked(tools: Path, name: str) -> str:
    return (tools / f"{name}.asked").read_text()


def test_openocd_is_told_the_probe_and_must_say_that_it_verified(nucleo: Board, elf: Path, tools: Path) -> None:
    install(tools, "openocd", "** Programming Finished **\n** Verified OK **")
    report = flash(nucleo, elf)
    assert "adapter serial 066BFF" in asked(tools, "openocd")
    assert (report.plan.tool, report.verified_by) == ("openocd", ("OpenOCD, which reads the flash back",))
    assert str(report) == "flashed by openocd; verified by OpenOCD, which reads the flash back"
    assert "Verified OK" in (elf.parent / "flash.log").read_text()


def test_success_without_verification_is_a_failure(nucleo: Board, elf: Path, tools: Path) -> None:
    install(tools, "openocd", "** Programming Finished **")
    with pytest.raises(ToolchainError, match=r"did not say .*not verified.*flash\.log"):
        flash(nucleo, elf)


def test_a_tool_that_fails_is_quoted(nucleo: Board, elf: Path, tools: Path) -> None:
    install(tools, "openocd", "Error: open failed\n", 1)
    with pytest.raises(ToolchainError, match=r"openocd ended with 1: Error: open failed .*flash\.log"):
        flash(nucleo, elf)


def test_the_first_tool_that_is_installed_is_taken(nucleo: Board, elf: Path, tools: Path) -> None:
    install(tools, "pyocd", "done")
    assert flash(nucleo, elf).plan.tool == "pyocd"
    assert "--uid 066BFF" in asked(tools, "pyocd")
    with pytest.raises(ToolchainError, match="openocd is not on PATH"):
        flash(nucleo, elf, FlashOptions(tool="openocd"))


def test_without_any_tool_each_is_named_with_its_remedy(nucleo: Board, elf: Path) -> None:
    with pytest.raises(ToolchainError, match=r"apt-get install openocd.*pip install pyocd.*no volume NODE_L4R5ZI"):
        flash(nucleo, elf)


def test_tools_that_the_board_file_does_not_name_are_refused(nucleo: Board, elf: Path) -> None:
    with pytest.raises(UsageError, match="not flashed by 'esptool'; its file names: openocd, pyocd, mass_storage"):
        flash(nucleo, elf, FlashOptions(tool="esptool"))
    with pytest.raises(UsageError, match=r"names no \[\[flasher\]\]"):
        flash(load_board("mps2_an386"), elf)


def test_of_two_probes_none_is_chosen(nucleo: Board) -> None:
    with pytest.raises(UsageError, match=r"2 probes could belong .*066BFF.*0672FF.*choose one with --probe"):
        choose_probe(nucleo, None, [STLINK, SECOND])
    assert choose_probe(nucleo, "0672FF", [STLINK, SECOND]) == "0672FF"
    assert choose_probe(nucleo, None, [STLINK, replace(STLINK, name="/dev/ttyACM2")]) == "066BFF", "one probe"
    with pytest.raises(LinkError, match=r"no probe of a nucleo_l4r5zi is connected \(0483:374b\)"):
        choose_probe(nucleo, None, [])


def test_a_dry_run_needs_neither_tool_nor_board(
    nucleo: Board, elf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(flash_module, "connected_ports", lambda: ())
    before = sorted(tmp_path.rglob("*"))
    report = flash(nucleo, elf, FlashOptions(dry_run=True))
    assert not report.done
    assert str(report).startswith("openocd -f board/st_nucleo_l4.cfg -c 'program {")
    for flasher in (Esptool("esptool", "esp32c3", 0, "a source"), Uf2("uf2", 1, "RPI-RP2", "a source")):
        assert flash(replace(nucleo, flashers=(flasher,)), elf, FlashOptions(dry_run=True)).plan.steps
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_still_refuses_to_guess(nucleo: Board, elf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flash_module, "connected_ports", lambda: (STLINK, SECOND))
    with pytest.raises(UsageError, match="2 probes"):
        flash(nucleo, elf, FlashOptions(dry_run=True))


@needs_arm_gcc
@pytest.mark.parametrize(
    ("flasher", "file"),
    [
        (MassStorage("mass_storage", "NODE_L4R5ZI", "a source"), "firmware.bin"),
        (Uf2("uf2", 0xE48B_FF56, "RPI-RP2", "a source"), "firmware.uf2"),
    ],
)
def test_volumes_get_the_converted_image(
    nucleo: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flasher: Flasher, file: str
) -> None:
    monkeypatch.setattr(perform_module, "copy_to_volume", lambda file, to: copy_to_volume(file, to, 0.0))
    volume = tmp_path / "volume"
    volume.mkdir()
    firmware = build_fake_firmware(tmp_path / "build", NUCLEO)
    report = flash(replace(nucleo, flashers=(flasher,)), firmware, FlashOptions(volume=volume))
    content = (volume / file).read_bytes()
    assert int.from_bytes(content[(36 if file.endswith("uf2") else 4) :][:4], "little") >> 24 == 0x08, "reset vector"
    assert report.verified_by == ()


def test_a_board_without_a_port_of_its_own_is_flashed_and_not_asked(
    nucleo: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perform_module, "copy_to_volume", lambda file, to: copy_to_volume(file, to, 0.0))
    volume = tmp_path / "volume"
    volume.mkdir()
    firmware = build_fake_firmware(tmp_path / "build", NUCLEO)
    assert nucleo.serial is not None
    board = replace(
        nucleo,
        flashers=(MassStorage(tool="mass_storage", label="NODE", source="a test"),),
        serial=replace(nucleo.serial, usb_ids=()),
    )
    report = flash(board, firmware, FlashOptions(volume=volume, model_hash=MODEL_HASH))
    assert (report.done, report.hello, report.unasked) == (True, None, True)
    assert str(report).endswith("name that of your adapter with --port")
    with pytest.raises(
        ToolchainError, match=r"no volume NODE is mounted \(plug the board in, or name it with --volume"
    ):
        flash(board, firmware)


@pytest.mark.parametrize(("model_hash", "text"), [(MODEL_HASH, None), ("ab" * 32, "load the image of this run")])
def test_the_firmware_is_asked_afterwards(
    nucleo: Board, elf: Path, tools: Path, host_firmware: Path, model_hash: str, text: str | None
) -> None:
    install(tools, "pyocd", "done")
    with on_pty((str(host_firmware),)) as bridge:
        options = FlashOptions(tool="pyocd", port=bridge.url, model_hash=model_hash)
        if text is not None:
            with pytest.raises(LinkError, match=text):
                flash(nucleo, elf, options)
            return
        report = flash(nucleo, elf, options)
    assert report.hello is not None
    assert report.hello.model == "fake"
    assert report.verified_by == ("the model hash that the firmware says",)
