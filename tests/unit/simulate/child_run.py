"""Starts the simulator child and speaks packets with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from sq_micro.simulate.packets import COUNTERS, Kind, encode_packet, read_packet

ROOT = Path(__file__).parents[3]


class Child:
    """A running child; leaving the `with` closes its input and waits for its end."""

    def __init__(
        self,
        elf: Path,
        board: str = "nucleo_l4r5zi",
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = ("-m", "sq_micro.simulate"),
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command, "--elf", str(elf), "--board", board],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.process.kill()
        self.close()

    def send(self, data: bytes, kind: Kind = Kind.UART) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode_packet(kind, data))
        self.process.stdin.flush()

    def receive(self) -> tuple[Kind, bytes] | None:
        assert self.process.stdout is not None
        return read_packet(self.process.stdout)

    def uart(self, size: int) -> bytes:
        """Exactly `size` bytes from the UART."""
        got = b""
        while len(got) < size:
            packet = self.receive()
            assert packet is not None
            assert packet[0] is Kind.UART, packet
            got += packet[1]
        assert len(got) == size
        return got

    def counters(self) -> dict[str, Any]:
        self.send(COUNTERS, Kind.CONTROL)
        packet = self.receive()
        assert packet is not None
        assert packet[0] is Kind.CONTROL, packet
        answer: dict[str, Any] = json.loads(packet[1])
        return answer

    def error(self) -> str:
        """The text of the error packet that the child ends with."""
        packet = self.receive()
        assert packet is not None
        assert packet[0] is Kind.ERROR, packet
        assert self.receive() is None
        return packet[1].decode()

    def close(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code
