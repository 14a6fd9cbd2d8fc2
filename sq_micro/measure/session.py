"""A conversation with one firmware: is it the right one, and inferences that are whole."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from sq_micro.errors import LinkError
from sq_micro.measure.exchange import Exchange
from sq_micro.measure.link.base import GreetedLink, Greeting, Link
from sq_micro.measure.messages import (
    MAX_INPUT_CHUNK,
    MAX_OUTPUT_CHUNK,
    MAX_PROFILE_CHUNK,
    AskHello,
    Hello,
    Invoke,
    Invoked,
    ReadArena,
    ReadOutput,
    ReadProfile,
    ReadStack,
    Request,
    Spin,
    StackUse,
    Step,
    TakeInput,
    WriteInput,
)

DEFAULT_TIMEOUT_S = 60.0  # a simulated inference can take seconds
DEFAULT_ATTEMPTS = 3

Reply = TypeVar("Reply")


class Session:
    """1. open (or `with`)  2. run and profile, as often as wanted  3. close (twice is fine).

    model_hash  in hexadecimal; a firmware with another model is refused, since a stale image must not pass for a
                result. None takes any.
    timeout_s   for each reply, at each attempt
    attempts    how often a request is sent into silence; every request may arrive twice. One that a damaged answer
                came to is sent anew at once, and does not count, for attempts · timeout_s in all

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
        self.clock = clock
        self._model_hash = model_hash
        self._pace = Greeting(timeout_s, attempts * timeout_s)
        self._attempts = attempts
        self._exchange = Exchange(link, clock)
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
            self._exchange.end_frame()
            pace = self.link.greeting if isinstance(self.link, GreetedLink) else self._pace
            hello = self._exchange.ask(AskHello(), pace)
            if self._model_hash is not None and hello.model_hash != self._model_hash.lower():
                raise LinkError(
                    f"the firmware runs model '{hello.model}' with hash {hello.model_hash[:16]}, wanted is"
                    f" {self._model_hash[:16]}; load the image of this run: `sq-micro flash`, or measure with --flash"
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

    def run(self, data: bytes, carried: int | None = None) -> tuple[int | None, bytes]:
        """One inference of an input: (cycles, output), both of that very input.

        carried  which of the image's own inputs it is; then it need not be sent
        """
        cycles, output, _ = self._run_whole(data, carried, profile=False)
        return cycles, output

    def profile(self, data: bytes) -> tuple[list[int], bytes]:
        """One inference, operator by operator: (cycles of each, output)."""
        _, output, per_operator = self._run_whole(data, None, profile=True)
        return per_operator, output

    def write_input(self, data: bytes) -> None:
        """The whole input, hello.input_bytes long. An invoke uses it up."""
        if len(data) != self.hello.input_bytes:
            raise LinkError(f"an input of {len(data)} bytes; model '{self.hello.model}' takes {self.hello.input_bytes}")
        for offset in range(0, len(data), MAX_INPUT_CHUNK):
            self.ask(WriteInput(offset, data[offset : offset + MAX_INPUT_CHUNK]))

    def invoke(self, *, profile: bool = False) -> Invoked:
        """Run the model once."""
        self._run = self._run % 0xFFFF_FFFF + 1
        return self.ask(Invoke(self._run, profile))

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

    def step(self, operator: int) -> None:
        """Run one operator; the first one on an input that was just written. DeviceError where one was left out."""
        self.ask(Step(operator))

    def read_arena(self, offset: int, size_bytes: int) -> bytes:
        """A part of the arena as it is now."""
        return b"".join(
            self.ask(ReadArena(start, min(MAX_OUTPUT_CHUNK, offset + size_bytes - start)))
            for start in range(offset, offset + size_bytes, MAX_OUTPUT_CHUNK)
        )

    def spin(self, rounds: int) -> int:
        """What the cycle counter counts in a loop of so many rounds, at most MOST_ROUNDS."""
        return self.ask(Spin(rounds))

    def ask(self, request: Request[Reply]) -> Reply:
        """Send a request until a whole answer comes, as the class says."""
        return self._exchange.ask(request, self._pace)

    def _run_whole(self, data: bytes, carried: int | None, *, profile: bool) -> tuple[int | None, bytes, list[int]]:
        """(cycles, output, cycles of each operator if profile); tried at most `attempts` times more.

        A device that was reset in between has forgotten its input, its output or its profile, and answers as if nothing
        had been; then the sums do not fit.
        """
        for _ in range(self._attempts + 1):
            if carried is None:
                self.write_input(data)
            else:
                self.ask(TakeInput(carried))
            invoked = self.invoke(profile=profile)
            output = self.read_output()
            per_operator = self.read_profile() if profile else []
            if (invoked.input_crc, invoked.output_crc) == (zlib.crc32(data), zlib.crc32(output)) and (
                not profile or sum(per_operator) == invoked.cycles
            ):
                return None if self.hello.cycle_counter == "none" else invoked.cycles, output, per_operator
        raise LinkError(
            f"in {self._attempts + 1} inferences the device has not kept its input and output until the host had read"
            " them; does the board restart? Look at its supply"
        )
