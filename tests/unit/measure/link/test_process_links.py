"""What the links to processes promise: exact reads, and a reason where the process has gone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.errors import LinkError, LinkTimeoutError, ToolchainError, UsageError
from sq_micro.measure.link.base import CountingLink
from sq_micro.measure.link.child_process import ChildProcess
from sq_micro.measure.link.host_link import HostLink
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.link.process_link import ProcessLink
from sq_micro.measure.link.qemu_link import QemuLink
from sq_micro.measure.link.simulator_link import SimulatorLink

_ECHO = "import os\nwhile chunk := os.read(0, 4096): os.write(1, chunk)"
_DIES = "import sys\nsys.stdin.buffer.read(1)\nsys.exit('line one\\nno such thing')"

# Speaks the packets of the simulator: echoes the UART, counts, and gives up when asked to.
_SIMULATOR = """
import json, struct, sys
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
def send(kind, content):
    packet = struct.pack('<cI', kind, len(content)) + content
    for byte in packet:                 # in pieces as small as can be
        stdout.write(bytes([byte])); stdout.flush()
arguments = sys.argv[1:]
while head := stdin.read(5):
    kind, length = struct.unpack('<cI', head)
    content = stdin.read(length)
    if kind == b'C':
        send(b'U', b'late')
        send(b'C', json.dumps({'instructions': 90, 'cycles': 120, 'reads': [[10, 12], [50, 60]]}).encode())
    elif content == b'arguments':
        send(b'U', ' '.join(arguments).encode())
    elif content == b'give up':
        send(b'E', b'illegal instruction at 0x80')
    elif content == b'nonsense':
        send(b'?', b'')
    else:
        send(b'U', content)
"""


class PythonLink(ProcessLink):
    name = "python"

    def __init__(self, program: str) -> None:
        super().__init__()
        self._program = program

    def _start(self) -> ChildProcess:
        return ChildProcess((sys.executable, "-c", self._program))


def simulator() -> SimulatorLink:
    return SimulatorLink(Path("a.elf"), "nucleo_l4r5zi", (sys.executable, "-c", _SIMULATOR))


def test_reads_are_exact() -> None:
    link = PythonLink(_ECHO)
    link.open()
    link.write(b"abcdef")
    assert link.read(2, 5) == b"ab"
    assert link.read(4, 5) == b"cdef"
    assert link.read(0, 5) == b""
    link.close()
    link.close()


def test_more_than_a_pipe_holds_goes_through() -> None:
    link = PythonLink(_ECHO)
    link.open()
    data = bytes(range(256)) * 2000
    link.write(data)
    assert link.read(len(data), 20) == data
    link.close()


def test_a_timeout_holds_what_came() -> None:
    link = PythonLink(_ECHO)
    link.open()
    link.write(b"abc")
    assert link.read(1, 5) == b"a"
    with pytest.raises(LinkTimeoutError) as caught:
        link.read(5, 0.05)
    assert caught.value.got == b"bc"
    assert caught.value.wanted_bytes == 5
    link.close()


def test_a_process_that_ended_says_why() -> None:
    link = PythonLink(_DIES)
    link.open()
    link.write(b"x")
    for _ in range(2):
        with pytest.raises(LinkError, match=r"has ended \(1\): no such thing"):
            link.read(1, 20)
    with pytest.raises(LinkError, match="no such thing"):
        link.write(b"x" * 1_000_000)
    link.close()


def test_reset_starts_anew() -> None:
    link = PythonLink(_ECHO)
    link.open()
    link.write(b"old")
    assert link.read(1, 5) == b"o"
    link.reset()
    link.write(b"new")
    assert link.read(3, 5) == b"new"
    link.close()


def test_a_link_that_is_not_open_says_so() -> None:
    with pytest.raises(LinkError, match="python link is not open"):
        PythonLink(_ECHO).read(1, 1)


def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="does not start"):
        HostLink(tmp_path / "firmware").open()


def test_qemu_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="apt-get install qemu-system-arm"):
        QemuLink(tmp_path / "firmware.elf", "mps2-an386").open()


def test_the_simulator_is_told_what_to_run() -> None:
    link = simulator()
    link.open()
    link.write(b"arguments")
    expected = f"--elf {Path('a.elf').resolve()} --board nucleo_l4r5zi".encode()
    assert link.read(len(expected), 10) == expected
    link.close()


def test_the_simulator_answers_beside_the_uart() -> None:
    link = simulator()
    assert isinstance(link, CountingLink)
    link.open()
    link.write(b"abc")
    counters = link.counters()
    assert (counters.instructions, counters.cycles) == (90, 120)
    assert counters.last_run_instructions == 40
    assert link.read(7, 10) == b"abclate"
    link.close()


@pytest.mark.parametrize(
    ("order", "text"), [(b"give up", "illegal instruction at 0x80"), (b"nonsense", "unknown type")]
)
def test_what_ends_the_simulator_is_passed_on(order: bytes, text: str) -> None:
    link = simulator()
    link.open()
    link.write(order)
    with pytest.raises(LinkError, match=text):
        link.read(1, 10)
    link.close()


def test_links_are_made_by_name() -> None:
    nucleo, mps2, host = (load_board(name) for name in ("nucleo_l4r5zi", "mps2_an386", "host"))
    assert isinstance(make_link("simulator", Path("a.elf"), nucleo), SimulatorLink)
    assert isinstance(make_link("qemu", Path("a.elf"), mps2), QemuLink)
    assert isinstance(make_link("host", Path("a"), host), HostLink)
    with pytest.raises(UsageError, match=r"nucleo_l4r5zi.*'qemu'.*simulator"):
        make_link("qemu", Path("a.elf"), nucleo)
