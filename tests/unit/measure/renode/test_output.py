"""What the console of Renode 1.16.1 prints, and what it means."""

from __future__ import annotations

import pytest

from sq_micro.measure.renode.output import failure, is_port_taken, is_ready

START = "07:06:19.1406 [INFO] Loaded monitor commands from: /opt/renode/scripts/monitor.py\nRenode, version 1.16.1\n\n"
GOOD = START + "\r(monitor) include @run.resc\n07:06:07.8893 [INFO] System bus created.\nSQM-READY\n\r(dut) "


def test_the_sentinel_means_ready() -> None:
    assert is_ready(GOOD)
    assert failure(GOOD) is None
    assert not is_ready(START + 'echo "SQM-READY"')
    assert not is_ready(START)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "There was an error executing command 'sysbus LoadELF @/nonexist.elf'\r\nParameters did not match\r\n"
            "(machine-0) ",
            "Renode refuses 'sysbus LoadELF @/nonexist.elf': Parameters did not match",
        ),
        (
            "There was an error executing command 'machine LoadPlatformDescription @a.repl'\n"
            "Error E04: Could not resolve type: 'UART.Nope'.\nAt 1:1:\nfoo: UART.Nope @ sysbus 0x1000\n^^^^\n",
            "Renode refuses 'machine LoadPlatformDescription @a.repl': Error E04: Could not resolve type: 'UART.Nope'.",
        ),
        ("There was an error executing command 'start'", "Renode refuses 'start': it did not say why"),
        ("Fatal error: out of memory", "Renode says: Fatal error: out of memory"),
        ("\r(machine-0) Fatal error: behind a prompt", "Renode says: Fatal error: behind a prompt"),
        (
            "07:06:24.5567 [ERROR] cpu: CPU abort [PC=0x0]: Trying to execute code outside RAM or ROM at 0x0",
            "Renode says: 07:06:24.5567 [ERROR] cpu: CPU abort [PC=0x0]: Trying to execute code outside RAM or ROM"
            " at 0x0",
        ),
    ],
)
def test_errors_are_found_with_their_reason(text: str, reason: str) -> None:
    assert failure(START + text) == reason


def test_a_stray_access_names_its_address() -> None:
    said = failure(START + "[WARNING] sysbus: [cpu: 0x80001D6] ReadDoubleWord from non existing peripheral at 0x50.")
    assert said is not None
    assert said.startswith("the firmware reaches for 0x50 (ReadDoubleWord), where the board file has nothing")
    written = failure("WriteByte to non existing peripheral at 0xA0000004, value 0x1.")
    assert written is not None
    assert "0xA0000004 (WriteByte)" in written


def test_a_taken_port_is_told_from_other_errors() -> None:
    assert is_port_taken("Unable to create '0.0.0.0:34999' socket:[AddressAlreadyInUse]")
    assert not is_port_taken(GOOD)
