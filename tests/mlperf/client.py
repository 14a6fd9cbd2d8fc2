"""A runner of our own, written from the description of the protocol, over a pseudo-terminal or a socket.

It keeps to the rules of the official one: text ended by '%', nothing sent before `m-ready`, 31 bytes a command, lines
that come within their time, five windows of ten seconds.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import serial

BYTES_A_COMMAND = 31
LINE_S = 600.0  # a window of ten simulated seconds takes minutes on a busy machine
WINDOW_S = 10.0
WINDOWS = 5


@dataclass(frozen=True)
class Inference:
    """What `infer` has said: microseconds of the window, and the scores."""

    iterations: int
    lap_us: int
    scores: list[float]

    @property
    def is_valid_window(self) -> bool:
        return self.lap_us >= WINDOW_S * 1e6


class Client:
    def __init__(self, address: str) -> None:
        self._port = serial.serial_for_url(address, baudrate=115200, timeout=0.1)
        self._waiting = bytearray()
        self.said: list[str] = []

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()

    def ask(self, command: str) -> list[str]:
        """The lines of the answer, without `m-ready`."""
        self._port.write(command.encode() + b"%")
        lines = []
        while (line := self.line()) != "m-ready":
            lines.append(line)
        return lines

    def line(self) -> str:
        deadline = time.monotonic() + LINE_S
        while b"\n" not in self._waiting:
            assert time.monotonic() < deadline, f"no line within {LINE_S} s; the last ones: {self.said[-5:]}"
            self._waiting += self._port.read(max(1, self._port.in_waiting))
        text, _, rest = bytes(self._waiting).partition(b"\n")
        self._waiting[:] = rest
        self.said.append(text.decode("ascii").rstrip("\r"))
        return self.said[-1]

    def identity(self) -> tuple[str, str]:
        """(name, model)."""
        (name,) = self.ask("name")
        profile, model = self.ask("profile")
        assert re.fullmatch(r"m-profile-\[.+\]", profile)
        return one(r"m-name-dut-\[(.+)\]", name), one(r"m-model-\[(.+)\]", model)

    def download(self, data: bytes) -> None:
        assert self.ask(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
        for start in range(0, len(data), BYTES_A_COMMAND):
            chunk = data[start : start + BYTES_A_COMMAND]
            done = start + len(chunk) == len(data)
            assert self.ask(f"db {chunk.hex()}") == (["m-load-done"] if done else [])

    def infer(self, iterations: int, warm_up: int) -> Inference:
        lines = self.ask(f"infer {iterations} {warm_up}")
        begin, end = (int(one(r"m-lap-us-(\d+)", line)) for line in lines[3:5])
        assert lines[:3] == [f"m-warmup-start-{warm_up}", "m-warmup-done", f"m-infer-start-{iterations}"]
        assert lines[5] == "m-infer-done"
        assert len(lines) == 7
        scores = [float(score) for score in one(r"m-results-\[(.+)\]", lines[6]).split(",")]
        return Inference(iterations, end - begin, scores)


def one(pattern: str, text: str) -> str:
    found = re.fullmatch(pattern, text)
    assert found is not None, f"{text!r} is not {pattern}"
    return found[1]


def dataset(folder: Path) -> list[tuple[bytes, int]]:
    """(bytes to send, class) of each line of y_labels.csv."""
    lines = [line.split(",") for line in (folder / "y_labels.csv").read_text().splitlines()]
    return [((folder / name).read_bytes(), int(label)) for name, _, label in lines]


def accuracy(client: Client, samples: list[tuple[bytes, int]]) -> int:
    """Accuracy mode: how many samples' first largest score is their class."""
    right = 0
    for data, label in samples:
        client.download(data)
        scores = client.infer(1, 0).scores
        right += scores.index(max(scores)) == label
    return right


def performance(client: Client, data: bytes, iterations: int, warm_up: int, windows: int = WINDOWS) -> float:
    """Performance mode: the median inferences a second. Every window must be valid."""
    rates = []
    for _ in range(windows):
        client.download(data)
        found = client.infer(iterations, warm_up)
        assert found.is_valid_window, f"{found.lap_us} us for {iterations} inferences"
        rates.append(iterations / (found.lap_us / 1e6))
    return sorted(rates)[len(rates) // 2]
