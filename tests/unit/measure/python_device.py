"""A device in Python, behind a link: its time is virtual, and its answers can be bent."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from sq_micro.errors import FrameError, LinkTimeoutError
from sq_micro.measure.frame import DELIMITER, Frame, decode_frame, encode_frame
from sq_micro.measure.link.base import Counters, CycleKind

MODEL_HASH = "ab" * 32
INPUT_BYTES = 4
OUTPUT_BYTES = 2
CLOCK_HZ = 48_000_000
CYCLES_A_ROUND = 8
OPERATORS = 70  # more than one READ_PROFILE carries
Answer = Callable[[Frame], bytes]


class PythonDevice:
    """Output = the sum and the first byte of the input. Run r takes 1000 + r cycles and 700 + r instructions.

    Profiled, operator n takes n cycles and 2n instructions.

    real_hz  at which the core really runs; SPIN takes so long. spin_scale bends what SPIN says
    carried  the inputs that the image carries
    answer  what the device says to a frame: by default what the protocol asks for
    now     the virtual time in seconds; a read that times out moves it
    """

    name = "python"
    cycle_kind: CycleKind = "measured"

    def __init__(self, *, cycle_source: int = 1, protocol: int = 3) -> None:
        self.answer: Answer = self.proper_answer
        self.now = 0.0
        self.requests: list[Frame] = []
        self.is_open = False
        self.invokes = 0
        self.real_hz: float = CLOCK_HZ
        self.spin_scale = 1.0
        self.carried = (bytes((1, 2, 3, 4)), bytes((255, 0, 0, 0)))
        self._cycle_source = cycle_source
        self._protocol = protocol
        self._input = bytearray(INPUT_BYTES)
        self._incoming = bytearray()
        self._reads = [(0, 0)]

    def clock(self) -> float:
        return self.now

    def open(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def reset(self) -> None:
        self._incoming.clear()

    def read(self, count: int, timeout_s: float) -> bytes:
        if len(self._incoming) < count:
            self.now += timeout_s
            raise LinkTimeoutError(count, bytes(self._incoming), timeout_s)
        data = bytes(self._incoming[:count])
        del self._incoming[:count]
        return data

    def write(self, data: bytes) -> None:
        for wire in data.split(DELIMITER):
            try:
                frame = decode_frame(wire)
            except FrameError:
                continue
            self.requests.append(frame)
            self._incoming += self.answer(frame)

    def proper_answer(self, frame: Frame) -> bytes:
        body = b"\0" + self._body(frame)
        return encode_frame(Frame(frame.sequence, frame.id | 0x80, body))

    def _body(self, frame: Frame) -> bytes:
        match frame.id:
            case 1:
                fixed = (self._protocol, self._cycle_source, OPERATORS, 2, CLOCK_HZ, INPUT_BYTES, OUTPUT_BYTES, 64)
                return struct.pack("<HBHHIIII", *fixed) + bytes.fromhex(MODEL_HASH) + b"desk\0armv7em_dsp\0sum\0"
            case 2:
                offset = int.from_bytes(frame.body[:4], "little")
                self._input[offset : offset + len(frame.body) - 4] = frame.body[4:]
                return b""
            case 3:
                run, profile = struct.unpack("<IB", frame.body)
                self.invokes += 1
                for instructions, cycles in (
                    [(2 * index, index) for index in range(OPERATORS)] if profile else [(700 + run, 1000 + run)]
                ):
                    self._read_counter(50, 80)
                    self._read_counter(instructions, cycles)
                cycles = sum(range(OPERATORS)) if profile else 1000 + run
                crcs = zlib.crc32(self._input), zlib.crc32(self.output())
                return struct.pack("<IQII", run, cycles * self._cycle_source, *crcs)
            case 4:
                offset, length = struct.unpack("<IB", frame.body)
                return self.output()[offset : offset + length]
            case 5:
                first, count = struct.unpack("<HB", frame.body)
                return struct.pack(f"<{count}I", *range(first, first + count))
            case 6:
                return struct.pack("<II", 104, 2048)
            case 7:
                cycles = CYCLES_A_ROUND * int.from_bytes(frame.body, "little")
                self.now += cycles / self.real_hz
                return struct.pack("<I", int(cycles * self.spin_scale))
            case 10:
                self._input[:] = self.carried[int.from_bytes(frame.body, "little")]
                return b""
            case _:
                raise AssertionError(frame)

    def _read_counter(self, instructions: int, cycles: int) -> None:
        """A read, so much after the one before."""
        before = self._reads[-1]
        self._reads.append((before[0] + instructions, before[1] + cycles))

    def output(self) -> bytes:
        return bytes((sum(self._input) % 256, self._input[0]))


class CountingDevice(PythonDevice):
    """The same with a count of instructions, as a simulator has it."""

    def counters(self) -> Counters:
        return Counters(*self._reads[-1], tuple(self._reads[-512:]))
