"""A conversation with one firmware: typed request in, typed reply out, damaged frames asked for again."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from sq_micro.errors import DeviceError, FrameError, LinkError, LinkTimeoutError
from sq_micro.measure.frame import DELIMITER, MAX_WIRE_BYTES, Frame, decode_frame, encode_frame
from sq_micro.measure.link.base import Link
from sq_micro.measure.messages import (
    MAX_INPUT_CHUNK,
    MAX_OUTPUT_CHUNK,
    MAX_PROFILE_CHUNK,
    REPLY_BIT,
    AskHello,
    Fault,
    Hello,
    Invoke,
    ReadOutput,
    ReadProfile,
    ReadStack,
    Request,
    StackUse,
    WriteInput,
    message_ids,
    statuses,
)

DEFAULT_TIMEOUT_S = 60.0  # a simulated inference can take seconds
DEFAULT_ATTEMPTS = 3

Reply = TypeVar("Reply")


class Session:
    """1. open (or `with`)  2. write_input → invoke → read_output, as often as wanted  3. close (twice is fine).

    model_hash  in hexadecimal; a firmware with another model is refused, since a stale image must not pass for a
                result. None takes any.
    timeout_s   for each reply, at each attempt
    attempts    how often a request is sent; every request may arrive twice

    Methods raise DeviceError iff the firmware answers with an error or reports a fault, LinkError otherwise.
    """

    def __init__(
        self,
        link: Link,
        *,
        model_hash: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        attempts: int = DEFAULT_ATTEMPTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.link = link
        self._model_hash = model_hash
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._clock = clock
        self._sequence = 0
        self._run = 0
        self._hello: Hello | None = None

    def __enter__(self) -> Session:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def hello(self) -> Hello:
        """Who answered at `open`."""
        if self._hello is None:
            raise LinkError("the session is not open")
        return self._hello

    def open(self) -> Hello:
        """Open the link and see who is there. Raises LinkError naming both hashes iff it runs another model."""
        self.link.open()
        try:
            hello = self.ask(AskHello())
            if self._model_hash is not None and hello.model_hash != self._model_hash.lower():
                raise LinkError(
                    f"the firmware runs model '{hello.model}' with hash {hello.model_hash[:16]}, wanted is"
                    f" {self._model_hash[:16]}; build and load it anew"
                )
        except BaseException:
            self.link.close()
            raise
        self._hello = hello
        return hello

    def close(self) -> None:
        """Close the link; nothing to do iff that is done already."""
        self._hello = None
        self.link.close()

    def write_input(self, data: bytes) -> None:
        """The whole input, hello.input_bytes long. An invoke uses it up."""
        if len(data) != self.hello.input_bytes:
            raise LinkError(f"an input of {len(data)} bytes; model '{self.hello.model}' takes {self.hello.input_bytes}")
        for offset in range(0, len(data), MAX_INPUT_CHUNK):
            self.ask(WriteInput(offset, data[offset : offset + MAX_INPUT_CHUNK]))

    def invoke(self, *, profile: bool = False) -> int | None:
        """Run the model once; cycles, or None where the device has no counter that counts."""
        self._run = self._run % 0xFFFF_FFFF + 1
        cycles = self.ask(Invoke(self._run, profile))
        return None if self.hello.cycle_counter == "none" else cycles

    def read_output(self) -> bytes:
        """The whole output, hello.output_bytes long; of the last invoke if no input was written since."""
        total = self.hello.output_bytes
        return b"".join(
            self.ask(ReadOutput(offset, min(MAX_OUTPUT_CHUNK, total - offset)))
            for offset in range(0, total, MAX_OUTPUT_CHUNK)
        )

    def read_profile(self) -> list[int]:
        """Cycles of each operator at the last invoke with `profile`."""
        total = self.hello.operators
        return [
            cycles
            for first in range(0, total, MAX_PROFILE_CHUNK)
            for cycles in self.ask(ReadProfile(first, min(MAX_PROFILE_CHUNK, total - first)))
        ]

    def read_stack(self) -> StackUse:
        """Watermark and reserve of the stack."""
        return self.ask(ReadStack())

    def ask(self, request: Request[Reply]) -> Reply:
        """Send a request until a whole answer comes, at most `attempts` times."""
        self._sequence = (self._sequence + 1) % 256
        identifier = message_ids()[request.name]
        wire = encode_frame(Frame(self._sequence, identifier, request.body()))
        failure: LinkError | None = None
        for _ in range(self._attempts):
            # After a failure the device may be inside a damaged frame; a delimiter ends that one.
            self.link.write(wire if failure is None else DELIMITER + wire)
            try:
                answer = self._await_answer(identifier | REPLY_BIT)
            except (FrameError, LinkTimeoutError) as error:
                failure = error
                continue
            return request.parse(_without_status(answer))
        raise LinkError(
            f"no whole answer to {request.name} in {self._attempts} attempts ({failure}); is the board running a"
            " bench firmware, and is its UART the one that is connected?"
        ) from failure

    def _await_answer(self, identifier: int) -> bytes:
        deadline = self._clock() + self._timeout_s
        while True:
            wire = self._read_wire(deadline)
            if not wire:
                continue
            frame = decode_frame(wire)
            if frame.id == message_ids()["FAULT"]:
                raise _fault_error(Fault.from_body(frame.body))
            # Anything else is the late answer to an earlier attempt, or to the second copy of one.
            if frame.sequence == self._sequence and frame.id == identifier and frame.body:
                return frame.body

    def _read_wire(self, deadline: float) -> bytes:
        """Up to the next delimiter, which is left out."""
        wire = bytearray()
        while (byte := self.link.read(1, max(0.0, deadline - self._clock()))) != DELIMITER:
            wire += byte
            if len(wire) >= MAX_WIRE_BYTES:
                raise FrameError("no end within the length of a frame", bytes(wire))
        return bytes(wire)


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
