"""One request, one whole reply, over a link that may damage both: what is lost is asked for again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from sq_micro.errors import DeviceError, FrameError, LinkError, LinkTimeoutError
from sq_micro.measure.diagnosis import diagnose
from sq_micro.measure.frame import DELIMITER, MAX_WIRE_BYTES, Frame, decode_frame, encode_frame
from sq_micro.measure.link.base import BlockLink, Greeting, Link
from sq_micro.measure.messages import REPLY_BIT, Fault, Request, message_ids, statuses

_DAMAGED_FRAMES = 64  # in answer to one request: more is not a bad line but a wrong one
_HEARD_BYTES = 512

Reply = TypeVar("Reply")


class Exchange:
    """Asks and asks again; requests may arrive twice. The device is silent unless it is asked.

    Methods raise DeviceError iff the firmware answers with an error or reports a fault, LinkError otherwise.
    """

    def __init__(self, link: Link, clock: Callable[[], float]) -> None:
        self._link = link
        self._blocks = link if isinstance(link, BlockLink) else None
        self._clock = clock
        self._sequence = 0
        self._heard = bytearray()

    def end_frame(self) -> None:
        """End what an earlier host may have left half said; the next request would complete it."""
        self._link.write(DELIMITER)

    def ask(self, request: Request[Reply], pace: Greeting) -> Reply:
        """Send a request into silence every pace.every_s, and at once after a damaged answer, until pace.limit_s."""
        self._sequence = (self._sequence + 1) % 256
        identifier = message_ids()[request.name]
        wire = encode_frame(Frame(self._sequence, identifier, request.body()))
        deadline = self._clock() + pace.limit_s
        most_silences = math.ceil(pace.limit_s / pace.every_s)
        silences = damaged_frames = 0
        failure: LinkError | None = None
        self._heard.clear()
        while silences < most_silences and damaged_frames < _DAMAGED_FRAMES:
            # After a failure the device may be inside a damaged frame; a delimiter ends that one.
            self._link.write(wire if failure is None else DELIMITER + wire)
            try:
                answer = self._await_answer(identifier | REPLY_BIT, min(self._clock() + pace.every_s, deadline))
            except LinkTimeoutError as error:
                silences += 1
                failure = error
            except FrameError as error:
                damaged_frames += 1
                failure = error
            else:
                return request.parse(_without_status(answer))
            if self._clock() >= deadline:
                break
        raise LinkError(
            f"no whole answer to {request.name} in {silences + damaged_frames} attempts ({failure});"
            f" {diagnose(bytes(self._heard))}"
        ) from failure

    def _await_answer(self, identifier: int, deadline: float) -> bytes:
        while True:
            wire = self._read_wire(deadline)
            if not wire:
                continue
            try:
                frame = decode_frame(wire)
            except FrameError:
                self._hear(wire)
                raise
            if frame.id == message_ids()["FAULT"]:
                raise _fault_error(Fault.from_body(frame.body))
            # Anything else is the late answer to an earlier attempt, or to the second copy of one.
            if frame.sequence == self._sequence and frame.id == identifier and frame.body:
                return frame.body

    def _read_wire(self, deadline: float) -> bytes:
        """Up to the next delimiter, which is left out."""
        if self._blocks is not None:
            return self._read_block(self._blocks, deadline)
        wire = bytearray()
        try:
            while (byte := self._link.read(1, max(0.0, deadline - self._clock()))) != DELIMITER:
                wire += byte
                if len(wire) >= MAX_WIRE_BYTES:
                    raise FrameError("no end within the length of a frame", bytes(wire))
        except LinkError:
            self._hear(wire)
            raise
        return bytes(wire)

    def _read_block(self, link: BlockLink, deadline: float) -> bytes:
        try:
            block = link.read_until(DELIMITER, MAX_WIRE_BYTES, max(0.0, deadline - self._clock()))
        except LinkTimeoutError as error:
            self._hear(error.got)
            raise
        if not block.endswith(DELIMITER):
            self._hear(block)
            raise FrameError("no end within the length of a frame", block)
        return block[:-1]

    def _hear(self, noise: bytes | bytearray) -> None:
        """Keep what was no frame, for the diagnosis."""
        self._heard += noise
        del self._heard[:-_HEARD_BYTES]


def _fault_error(fault: Fault) -> DeviceError:
    if fault.pc:
        advice = f"look the pc up with addr2line -e firmware.elf 0x{fault.pc:x}"
    else:
        advice = "the stack is lost, so it was too small: raise stack_bytes in the board file"
    return DeviceError("FAULT", f"{fault}; {advice}")


def _without_status(answer: bytes) -> bytes:
    status = statuses().get(answer[0])
    if status is None:
        raise DeviceError(f"status {answer[0]}", "unknown to this host; rebuild the firmware with this sq-micro")
    if status.name != "OK":
        raise DeviceError(status.name, status.text)
    return answer[1:]
