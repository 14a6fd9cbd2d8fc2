"""The first operator that computes something else than it should, whatever the line and the board do meanwhile."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import LinkError
from sq_micro.measure.frame import Frame, encode_frame
from sq_micro.measure.link.faulty_link import FaultyLink
from sq_micro.measure.link.host_link import HostLink
from sq_micro.measure.locate import ExpectedOutput, locate
from sq_micro.measure.session import Session
from tests.unit.measure.fake_firmware import MODEL_BYTES
from tests.unit.measure.python_device import PythonDevice

_OUT_OF_ORDER = 5
_OPERATORS = 3
_BYTES = 4
SAMPLE = bytes((1, 2, 3, 4))


class SteppedDevice(PythonDevice):
    """Operator n adds n + 1 to each byte, and leaves the result at 4 · (n + 1). `wrong`: it adds one more."""

    def __init__(self, wrong: int | None = None) -> None:
        super().__init__()
        self.wrong = wrong
        self.steps: list[int] = []
        self._wipe()

    def reset(self) -> None:
        super().reset()
        self._wipe()

    def _wipe(self) -> None:
        self._arena = bytearray(b"\x55" * (_BYTES * (_OPERATORS + 1)))
        self._done = _OPERATORS + 1

    def proper_answer(self, frame: Frame) -> bytes:
        if frame.id == 8:
            index = int.from_bytes(frame.body, "little")
            if index == self._done:
                self.steps.append(index)
                more = index + 1 + (index == self.wrong)
                before = self._arena[_BYTES * index : _BYTES * (index + 1)]
                self._arena[_BYTES * (index + 1) : _BYTES * (index + 2)] = bytes((b + more) % 256 for b in before)
                self._done += 1
            status = 0 if index + 1 == self._done else _OUT_OF_ORDER
            return encode_frame(Frame(frame.sequence, frame.id | 0x80, bytes((status,))))
        return super().proper_answer(frame)

    def _body(self, frame: Frame) -> bytes:
        if frame.id == 2:
            offset = int.from_bytes(frame.body[:4], "little")
            self._done = 0 if offset == 0 or self._done == 0 else _OPERATORS + 1
            self._arena[offset : offset + len(frame.body) - 4] = frame.body[4:]
            return b""
        if frame.id == 9:
            offset = int.from_bytes(frame.body[:4], "little")
            return bytes(self._arena[offset : offset + frame.body[4]])
        return super()._body(frame)


def expected() -> list[ExpectedOutput]:
    codes = np.frombuffer(SAMPLE, np.int8)
    outputs = []
    for index in range(_OPERATORS):
        codes = codes + np.int8(index + 1)
        outputs.append(ExpectedOutput(f"operator {index}", _BYTES * (index + 1), codes))
    return outputs


@pytest.mark.parametrize("wrong", range(_OPERATORS))
def test_the_first_wrong_operator_is_named(wrong: int) -> None:
    device = SteppedDevice(wrong)
    with Session(device, clock=device.clock) as session:
        found = locate(session, SAMPLE, expected())
    assert found is not None
    want = int(expected()[wrong].codes[0])
    assert (found.operator, found.index, found.got, found.expected) == (f"operator {wrong}", 0, want + 1, want)
    assert device.steps == list(range(wrong + 1)), "and no step further"


def test_where_each_operator_is_right_nothing_is_named() -> None:
    device = SteppedDevice()
    with Session(device, clock=device.clock) as session:
        assert locate(session, SAMPLE, expected()) is None


@pytest.mark.parametrize("seed", range(150))
def test_faults_of_the_line_name_no_other_operator(seed: int) -> None:
    wrong = seed % (_OPERATORS + 1)
    device = SteppedDevice(wrong if wrong < _OPERATORS else None)
    link = FaultyLink(device, seed, drop=0.001, flip=0.001, repeat=0.05, restart=0.0005, blink=0.01)
    right = {f"operator {wrong}"} if wrong < _OPERATORS else {None}
    said: set[str | None] = set()
    with suppress(LinkError), Session(link, timeout_s=1.0, attempts=6, clock=device.clock) as session:
        found = locate(session, SAMPLE, expected())
        said = {found.operator if found else None}
    assert said <= right


def test_a_board_that_restarts_again_and_again_is_said_to() -> None:
    device = SteppedDevice()
    link = FaultyLink(device, 0, blink=1.0)
    with (
        Session(link, timeout_s=1.0, clock=device.clock) as session,
        pytest.raises(LinkError, match="does the board restart"),
    ):
        locate(session, SAMPLE, expected())


def test_the_real_firmware_steps(host_firmware: Path) -> None:
    sample = bytes(index * 7 % 125 for index in range(MODEL_BYTES))
    codes = np.frombuffer(sample, np.int8)
    right = [
        ExpectedOutput("fault_if_asked", 0, codes),
        ExpectedOutput("reverse", MODEL_BYTES, codes[::-1]),
        ExpectedOutput("consume_input", MODEL_BYTES, codes[::-1]),
    ]
    with Session(HostLink(host_firmware)) as session:
        assert locate(session, sample, right) is None
        broken = codes[::-1].copy()
        broken[5] ^= 1
        found = locate(session, sample, [right[0], ExpectedOutput("reverse", MODEL_BYTES, broken), right[2]])
        assert found is not None
        assert (found.operator, found.index, found.got) == ("reverse", 5, int(codes[::-1][5]))
        assert session.run(sample)[1] == sample[::-1], "stepping leaves nothing behind"
        with pytest.raises(LinkError, match="OUT_OF_ORDER"):
            session.step(1)
