"""Renode scripts: one that a link starts, one for a person, and a Robot Framework test for `renode-test`.

In each, `board.repl` and the ELF lie beside the script or are named by their whole path.
"""

from __future__ import annotations

from pathlib import Path

from sq_micro.board import Board
from sq_micro.measure.frame import Frame, encode_frame
from sq_micro.measure.messages import AskHello, message_ids

SENTINEL = "SQM-READY"
MACHINE = "dut"


def pty_terminal(path: Path) -> str:
    """The command for a pseudo-terminal that `path` will point to. It opens no port of the network."""
    return f'emulation CreateUartPtyTerminal "term" "{path}" true'


def socket_terminal(port: int) -> str:
    """The command for a TCP socket. `false`: raw bytes, no Telnet, which would double each 0xFF."""
    return f'emulation CreateServerSocketTerminal {port} "term" false'


def link_script(platform: Path, elf: Path, terminal: str) -> str:
    """What a link starts Renode with. Errors end a script without an exit code, hence the sentinel near its end."""
    return _lines(
        "using sysbus",
        f'mach create "{MACHINE}"',
        f"machine LoadPlatformDescription {quoted(platform)}",
        # Virtual time need not wait for the host's: counts do not depend on it, and answers come sooner.
        "emulation SetGlobalAdvanceImmediately true",
        terminal,
        "connector Connect sysbus.uart term",
        f"sysbus LoadELF {quoted(elf)}",
        f'echo "{SENTINEL}"',
        "start",
    )


def run_script(board: Board, elf_name: str) -> str:
    """What a person opens in Renode: `renode run.resc`. The UART is at TCP port 3456."""
    return _lines(
        f":name: {board.id}",
        f":description: {board.title} with {elf_name}; the UART is at socket://localhost:3456",
        "",
        f"$elf?=$ORIGIN/{elf_name}",
        "",
        "using sysbus",
        f'mach create "{MACHINE}"',
        "machine LoadPlatformDescription $ORIGIN/board.repl",
        socket_terminal(3456),
        "connector Connect sysbus.uart term",
        "",
        "macro reset",
        '"""',
        "    sysbus LoadELF $elf",
        '"""',
        "runMacro $reset",
        "start",
    )


def robot_test(board: Board, elf_name: str, model: str | None = None) -> str:
    """A test for `renode-test`: the firmware boots and answers HELLO with the name of the board, and of the model."""
    hello = AskHello()
    wire = encode_frame(Frame(1, message_ids()[hello.name], hello.body()))
    return _lines(
        "*** Settings ***",
        f"Documentation     {board.title}: the firmware in {elf_name} boots in Renode and says who it is.",
        "Suite Setup       Setup",
        "Suite Teardown    Teardown",
        "Test Teardown     Test Teardown",
        "Resource          ${RENODEKEYWORDS}",
        "Library           OperatingSystem",
        "",
        "*** Variables ***",
        f"${{ELF}}            ${{CURDIR}}/{elf_name}",
        f"${{SAID}}           ${{TEMPDIR}}/sqm_{board.id}_uart.bin",
        "",
        "*** Test Cases ***",
        "The Firmware Says Who It Is",
        "    Remove Files               ${SAID}*",
        f'    Execute Command            mach create "{MACHINE}"',
        "    Execute Command            machine LoadPlatformDescription @${CURDIR}/board.repl",
        "    Execute Command            sysbus LoadELF @${ELF}",
        "    Execute Command            sysbus.uart CreateFileBackend @${SAID} true",
        '    Execute Command            emulation RunFor "0.01"',
        "    # The request HELLO; firmware/protocol/PROTOCOL.md draws the frame.",
        f"    FOR    ${{byte}}    IN    {'    '.join(f'0x{byte:02x}' for byte in wire)}",
        "        Execute Command        sysbus.uart WriteChar ${byte}",
        "    END",
        '    Execute Command            emulation RunFor "0.02"',
        "    ${said}=    Get File       ${SAID}    encoding=latin-1",
        f"    Should Contain             ${{said}}    {board.id}",
        *((f"    Should Contain             ${{said}}    {model}",) if model is not None else ()),
    )


def quoted(path: Path) -> str:
    """A whole path as Renode's monitor takes it."""
    return "@" + path.resolve().as_posix().replace("\\", "/").replace(" ", "\\ ")


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
