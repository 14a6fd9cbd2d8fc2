"""Requests to the firmware and its replies: dataclass ↔ bytes.

Ids and statuses come from `firmware/protocol/protocol.def`, the list that the firmware is compiled from. A request
knows how to read its own reply, so that `Session.ask` is typed.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

from sq_micro.board import CycleCounter
from sq_micro.errors import LinkError
from sq_micro.measure.frame import MAX_BODY_BYTES
from sq_micro.paths import project_files

PROTOCOL_VERSION = 3
REPLY_BIT = 0x80

MAX_INPUT_CHUNK = MAX_BODY_BYTES - 4
MAX_OUTPUT_CHUNK = MAX_BODY_BYTES - 1
MAX_PROFILE_CHUNK = (MAX_BODY_BYTES - 1) // 4
MOST_ROUNDS = 4_000_000  # of SPIN

_CYCLE_COUNTERS: dict[int, CycleCounter] = {0: "none", 1: "dwt", 2: "systick", 3: "mcycle", 4: "mpccr"}

Reply_co = TypeVar("Reply_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Status:
    """One line of protocol.def: what a reply may begin with."""

    name: str
    value: int
    text: str


@cache
def message_ids() -> dict[str, int]:
    """Name → id, from protocol.def."""
    return {name: int(value) for name, value in re.findall(r"^SQM_MESSAGE\((\w+), (\d+)\)$", _list(), re.MULTILINE)}


@cache
def statuses() -> dict[int, Status]:
    """Value → status, from protocol.def."""
    found = re.findall(r'^SQM_STATUS\((\w+), (\d+), "([^"]*)"\)$', _list(), re.MULTILINE)
    return {int(value): Status(name, int(value), text) for name, value, text in found}


@cache
def _list() -> str:
    return (project_files() / "firmware" / "protocol" / "protocol.def").read_text(encoding="utf-8")


class Request(Protocol[Reply_co]):
    """What the host can ask: `name` in protocol.def, the body to send, and how to read the body of the answer."""

    name: ClassVar[str]

    def body(self) -> bytes:
        """What follows the id."""

    def parse(self, answer: bytes) -> Reply_co:
        """`answer` is what follows the status OK. Raises LinkError iff it is not of the expected form."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Who is there. model_hash in hexadecimal; sizes are the model's; clock_hz as it was built, 0: not known.

    inputs  that the image carries, for TAKE_INPUT
    """

    protocol: int
    cycle_counter: CycleCounter
    operators: int
    inputs: int
    clock_hz: int
    input_bytes: int
    output_bytes: int
    arena_bytes: int
    model_hash: str
    board: str
    isa: str
    model: str


@dataclass(frozen=True, slots=True)
class AskHello:
    """HELLO; also makes the device forget which run came last."""

    name: ClassVar[str] = "HELLO"
    _form: ClassVar[struct.Struct] = struct.Struct("<HBHHIIII32s")

    def body(self) -> bytes:
        """As `Request` says."""
        return b""

    def parse(self, answer: bytes) -> Hello:
        """As `Request` says."""
        if len(answer) < 2 or (version := int.from_bytes(answer[:2], "little")) == PROTOCOL_VERSION:
            return self._parse(answer)
        raise LinkError(f"the firmware speaks protocol {version}, this host {PROTOCOL_VERSION}; rebuild the firmware")

    def _parse(self, answer: bytes) -> Hello:
        fixed = _unpack(self.name, self._form, answer[: self._form.size])
        names = answer[self._form.size :].split(b"\0")
        if len(names) != 4 or names[3] or fixed[1] not in _CYCLE_COUNTERS:
            raise _malformed(self.name, answer)
        board, isa, model = (name.decode("utf-8", "replace") for name in names[:3])
        return Hello(
            protocol=fixed[0],
            cycle_counter=_CYCLE_COUNTERS[fixed[1]],
            operators=fixed[2],
            inputs=fixed[3],
            clock_hz=fixed[4],
            input_bytes=fixed[5],
            output_bytes=fixed[6],
            arena_bytes=fixed[7],
            model_hash=fixed[8].hex(),
            board=board,
            isa=isa,
            model=model,
        )


@dataclass(frozen=True, slots=True)
class WriteInput:
    """At most MAX_INPUT_CHUNK bytes of the input, from `offset` on."""

    name: ClassVar[str] = "WRITE_INPUT"
    offset: int
    data: bytes

    def body(self) -> bytes:
        """As `Request` says."""
        return struct.pack("<I", self.offset) + self.data

    def parse(self, answer: bytes) -> None:
        """As `Request` says."""
        if answer:
            raise _malformed(self.name, answer)


@dataclass(frozen=True, slots=True)
class Invoked:
    """A run: its cycles, 0 without a counter, and zlib's CRC-32 of the input it found and the output it left."""

    cycles: int
    input_crc: int
    output_crc: int


@dataclass(frozen=True, slots=True)
class Invoke:
    """Run the model once, unless `run` is the number of the last run.

    profile  operator by operator, so that READ_PROFILE has the cycles of each
    """

    name: ClassVar[str] = "INVOKE"
    _form: ClassVar[struct.Struct] = struct.Struct("<IQII")
    run: int
    profile: bool = False

    def body(self) -> bytes:
        """As `Request` says."""
        return struct.pack("<IB", self.run, self.profile)

    def parse(self, answer: bytes) -> Invoked:
        """As `Request` says."""
        run, cycles, input_crc, output_crc = _unpack(self.name, self._form, answer)
        if run != self.run:
            raise _malformed(self.name, answer)
        return Invoked(cycles, input_crc, output_crc)


@dataclass(frozen=True, slots=True)
class ReadOutput:
    """At most MAX_OUTPUT_CHUNK bytes of the output, from `offset` on."""

    name: ClassVar[str] = "READ_OUTPUT"
    offset: int
    length: int

    def body(self) -> bytes:
        """As `Request` says."""
        return struct.pack("<IB", self.offset, self.length)

    def parse(self, answer: bytes) -> bytes:
        """As `Request` says."""
        if len(answer) != self.length:
            raise _malformed(self.name, answer)
        return answer


@dataclass(frozen=True, slots=True)
class ReadProfile:
    """Cycles of at most MAX_PROFILE_CHUNK operators, from operator `first` on."""

    name: ClassVar[str] = "READ_PROFILE"
    first: int
    count: int

    def body(self) -> bytes:
        """As `Request` says."""
        return struct.pack("<HB", self.first, self.count)

    def parse(self, answer: bytes) -> tuple[int, ...]:
        """As `Request` says."""
        return _unpack(self.name, struct.Struct(f"<{self.count}I"), answer)


@dataclass(frozen=True, slots=True)
class StackUse:
    """Bytes of stack: the watermark since the start, and what is set aside. Both are 0 on a host."""

    used_bytes: int
    reserved_bytes: int


@dataclass(frozen=True, slots=True)
class ReadStack:
    """READ_STACK."""

    name: ClassVar[str] = "READ_STACK"
    _form: ClassVar[struct.Struct] = struct.Struct("<II")

    def body(self) -> bytes:
        """As `Request` says."""
        return b""

    def parse(self, answer: bytes) -> StackUse:
        """As `Request` says."""
        return StackUse(*_unpack(self.name, self._form, answer))


@dataclass(frozen=True, slots=True)
class Spin:
    """Cycles of a loop of at most MOST_ROUNDS rounds: whether, and how fast, the counter counts."""

    name: ClassVar[str] = "SPIN"
    rounds: int

    def body(self) -> bytes:
        """As `Request` says."""
        return struct.pack("<I", self.rounds)

    def parse(self, answer: bytes) -> int:
        """As `Request` says."""
        (cycles,) = _unpack(self.name, struct.Struct("<I"), answer)
        return int(cycles)


@dataclass(frozen=True, slots=True)
class Step:
    """Run one operator, unless it ran last; the first one follows a written input."""

    name: ClassVar[str] = "STEP"
    operator: int

    def body(self) -> bytes:
        """As `Request` says."""
        return struct.pack("<H", self.operator)

    def parse(self, answer: bytes) -> None:
        """As `Request` says."""
        if answer:
            raise _malformed(self.name, answer)


@dataclass(frozen=True, slots=True)
class ReadArena(ReadOutput):
    """At most MAX_OUTPUT_CHUNK bytes of the arena, from `offset` on."""

    name: ClassVar[str] = "READ_ARENA"


@dataclass(frozen=True, slots=True)
class TakeInput:
    """Use an input that the image carries."""

    name: ClassVar[str] = "TAKE_INPUT"
    index: int

    def body(self) -> bytes:
        """As `Request` says."""
        return struct.pack("<H", self.index)

    def parse(self, answer: bytes) -> None:
        """As `Request` says."""
        if answer:
            raise _malformed(self.name, answer)


@dataclass(frozen=True, slots=True)
class Fault:
    """What the firmware sends unasked when the core has taken a fault: registers by name, as the core calls them.

    Arm's pc and lr are 0 where its stack was lost.
    """

    name: ClassVar[str] = "FAULT"
    _forms: ClassVar[dict[int, tuple[str, ...]]] = {
        20: ("pc", "lr", "cfsr", "hfsr", "bfar"),
        16: ("mepc", "ra", "mcause", "mtval"),
    }
    registers: tuple[tuple[str, int], ...]

    @classmethod
    def from_body(cls, body: bytes) -> Fault:
        """Raises LinkError iff the body is not of one of the forms: the first is Arm's, the second RISC-V's."""
        names = cls._forms.get(len(body))
        if names is None:
            raise _malformed(cls.name, body)
        return cls(tuple(zip(names, struct.unpack(f"<{len(names)}I", body), strict=True)))

    @property
    def pc(self) -> int:
        """Where it happened."""
        return self.registers[0][1]

    def __str__(self) -> str:
        return ", ".join(f"{name} 0x{value:08x}" for name, value in self.registers)


def _unpack(name: str, form: struct.Struct, answer: bytes) -> tuple[Any, ...]:
    if len(answer) != form.size:
        raise _malformed(name, answer)
    return form.unpack(answer)


def _malformed(name: str, answer: bytes) -> LinkError:
    return LinkError(
        f"the answer to {name} makes no sense ({len(answer)} bytes); rebuild the firmware with this sq-micro"
    )
