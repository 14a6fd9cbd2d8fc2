"""What an image writes to registers that nobody models, from reset to the end of an inference on the simulated core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.measure.frame import Frame, encode_frame
from sq_micro.measure.messages import MAX_INPUT_CHUNK, Invoke, WriteInput, message_ids
from sq_micro.simulate.image import load_image
from tests.boards.images import small_model


class EndOfWireError(Exception):
    """The firmware waits for more than there is."""


class Wire:
    """A host that sends what it has and then nothing; what it receives it forgets."""

    def __init__(self, data: bytes) -> None:
        self._data = bytearray(data)
        self._hidden = True

    @property
    def waiting_bytes(self) -> int:
        return 0 if self._hidden else len(self._data)

    def take(self) -> int:
        return self._data.pop(0) if self._data else 0

    def send(self, byte: int) -> None:
        pass

    def wait(self) -> None:
        if not self._data:
            raise EndOfWireError
        self._hidden = False


def one_inference() -> bytes:
    """The requests for it, as they go over the wire."""
    ids = message_ids()
    data = small_model()[1].inputs[0].tobytes()
    requests: list[WriteInput | Invoke] = [
        WriteInput(offset, data[offset : offset + MAX_INPUT_CHUNK]) for offset in range(0, len(data), MAX_INPUT_CHUNK)
    ]
    requests.append(Invoke(1, False))
    frames = (Frame(index + 1, ids[request.name], request.body()) for index, request in enumerate(requests))
    return b"".join(encode_frame(frame) for frame in frames)


def writes_of_one_inference(elf: Path, board_id: str) -> tuple[list[tuple[int, int, int]], list[int]]:
    """(cycles, address, value) of each write to registers that nobody models; cycles at each read of the counter."""
    from sq_micro.simulate.machine import Machine

    machine = Machine(load_image(elf), load_board(board_id), Wire(one_inference()))
    written = []
    keep: Callable[[int, int, int], None] = machine._registers.write

    def note(address: int, size_bytes: int, value: int) -> None:
        written.append((machine.totals().cycles, address, value))
        keep(address, size_bytes, value)

    machine._registers.write = note  # type: ignore[method-assign]
    with pytest.raises(EndOfWireError):
        machine.run()
    return written, [read.cycles for read in machine.reads]
