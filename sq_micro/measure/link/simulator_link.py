"""The firmware on the simulated core, which runs in a process of its own.

The pipe carries packets: type (one letter), length (32 bits, little endian), bytes. 'U' are the UART's bytes, 'C' is
a question to the simulator and its answer in JSON, 'E' is why it gave up.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import sq_micro
from sq_micro.errors import LinkError, LinkTimeoutError
from sq_micro.measure.link.base import Counters, CycleKind
from sq_micro.measure.link.child_process import ChildProcess
from sq_micro.measure.link.process_link import ProcessLink

_HEAD = struct.Struct("<cI")
_COUNTERS_TIMEOUT_S = 60.0


class SimulatorLink(ProcessLink):
    """Runs an ELF on the simulated core of a board; cycles are those of the core's cycle model.

    board    id or path of the board file
    command  how to start the simulator, without its arguments; by default this very Python
    """

    name = "simulator"
    cycle_kind: CycleKind = "modelled"

    def __init__(self, elf: Path, board: str | Path, command: Sequence[str] | None = None) -> None:
        super().__init__()
        self._elf = elf
        self._board = board
        self._command = tuple(command or (sys.executable, "-m", "sq_micro.simulate"))
        self._packets = bytearray()
        self._answers: list[bytes] = []

    def _start(self) -> ChildProcess:
        self._packets.clear()
        self._answers.clear()
        package_root = str(Path(sq_micro.__file__).resolve().parent.parent)
        search = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
        return ChildProcess(
            (*self._command, "--elf", str(self._elf.resolve()), "--board", str(self._board)),
            os.environ | {"PYTHONPATH": search},
        )

    def write(self, data: bytes) -> None:
        """As `Link` says."""
        self._running().send(_HEAD.pack(b"U", len(data)) + data)

    def counters(self) -> Counters:
        """Raises LinkTimeoutError iff the simulator does not answer within a minute."""
        self._answers.clear()
        question = b"counters"
        self._running().send(_HEAD.pack(b"C", len(question)) + question)
        deadline = time.monotonic() + _COUNTERS_TIMEOUT_S
        while not self._answers:
            left_s = deadline - time.monotonic()
            if not self._receive(left_s) and left_s <= 0:
                raise LinkTimeoutError(1, b"", _COUNTERS_TIMEOUT_S)
        answer = json.loads(self._answers.pop())
        reads = tuple((int(instructions), int(cycles)) for instructions, cycles in answer["reads"])
        return Counters(int(answer["instructions"]), int(answer["cycles"]), reads)

    def _receive(self, timeout_s: float) -> bool:
        chunk = self._running().receive(timeout_s)
        self._packets += chunk
        while len(self._packets) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._packets)
            if len(self._packets) < _HEAD.size + length:
                break
            content = bytes(self._packets[_HEAD.size : _HEAD.size + length])
            del self._packets[: _HEAD.size + length]
            self._take(kind, content)
        return bool(chunk)

    def _take(self, kind: bytes, content: bytes) -> None:
        match kind:
            case b"U":
                self._incoming += content
            case b"C":
                self._answers.append(content)
            case b"E":
                raise LinkError(f"the simulator stopped: {content.decode('utf-8', 'replace')}")
            case _:
                raise LinkError(f"the simulator sent a packet of unknown type {kind!r}; reinstall sq-micro")
