"""What a board needs and this machine lacks, each with the command that installs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.board import board_ids, load_board
from sq_micro.doctor import for_board, machine
from sq_micro.doctor.findings import Finding, Findings, print_findings
from sq_micro.measure.link.serial_port import ConnectedPort, permission_remedy

PROBE = ConnectedPort("/dev/ttyACM7", "ST-Link", "0483:374b", "0123")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing on PATH, no packages but ours, and no board."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(for_board, "connected_ports", lambda: ())
    monkeypatch.setattr(for_board, "flasher_program", lambda tool: None)
    monkeypatch.setattr(machine, "zig_path", lambda: None)


def looked_at(board: str) -> tuple[Findings, dict[str, Finding]]:
    findings = for_board.examine_board(load_board(board))
    return findings, {finding.name: finding for finding in findings.findings}


@pytest.mark.usefixtures("bare")
def test_what_is_missing_is_named_with_its_remedy() -> None:
    findings, by_name = looked_at("nucleo_l4r5zi")
    assert not findings.ready
    zig = by_name["ziglang"]
    assert (zig.version, zig.required, zig.remedy) == (None, True, "pip install ziglang")
    assert by_name["arm-none-eabi-gcc"].remedy == "Debian: apt-get install gcc-arm-none-eabi"
    assert by_name["openocd"].remedy == "Debian: apt-get install openocd"
    assert by_name["pyocd"].remedy == "pip install pyocd"
    assert "SQ_RENODE" in by_name["renode"].remedy
    assert "0483:374b" in by_name["serial port"].remedy
    assert by_name["unicorn"].required


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("board", board_ids())
def test_whatever_is_absent_says_what_to_do(board: str) -> None:
    for finding in looked_at(board)[0].findings:
        assert finding.version is not None or finding.remedy, finding


@pytest.mark.usefixtures("bare")
def test_a_board_that_only_qemu_runs_needs_qemu_and_no_unicorn() -> None:
    _, by_name = looked_at("mps3_an547")
    assert by_name["qemu-system-arm"].required
    assert not by_name["unicorn"].required
    assert "serial port" not in by_name


def test_a_compiler_of_the_board_makes_zig_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "zig_path", lambda: None)
    monkeypatch.setattr(for_board, "program_version", lambda name: "13.2" if name == "riscv-none-elf-gcc" else None)
    _, by_name = looked_at("esp32c3_devkit")
    assert by_name["riscv-none-elf-gcc"].version == "13.2"
    assert not by_name["ziglang"].required


def test_a_port_without_permission_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(for_board, "connected_ports", lambda: (PROBE, ConnectedPort("/dev/ttyS9", "x", None, None)))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    found = looked_at("nucleo_l4r5zi")[1]["serial port /dev/ttyACM7"]
    assert found.version is None
    assert found.remedy == "sudo usermod -a -G dialout $USER, then log in anew"
    monkeypatch.setattr("os.access", lambda path, mode: True)
    assert looked_at("nucleo_l4r5zi")[1]["serial port /dev/ttyACM7"].version == "0483:374b"


def test_a_port_that_may_be_opened_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "port").touch()
    assert permission_remedy(str(tmp_path / "port")) is None


def test_commands_are_printed_in_one_piece(capsys: pytest.CaptureFixture[str]) -> None:
    remedy = (
        "a command that is much longer than any column of a table is wide, and which one wants to copy as it stands"
    )
    absent = Finding(name="tool[1]", purpose="does it", version=None, required=True, remedy=remedy)
    print_findings(Findings.of([absent], "bench"))
    said = capsys.readouterr().out
    assert f"tool[1]: {remedy}\n" in said
    assert said.endswith("not ready: install what is marked as missing\n")
