"""The bad line does what its rates say, and the same for the same seed."""

from __future__ import annotations

from sq_micro.measure.link.faulty_link import FaultyLink
from tests.unit.measure.python_device import PythonDevice


class Recorder(PythonDevice):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data


def sent(seed: int, data: bytes, **rates: float) -> bytes:
    device = Recorder()
    FaultyLink(device, seed, **rates).write(data)
    return device.written


def test_a_good_line_changes_nothing() -> None:
    assert sent(1, bytes(range(256))) == bytes(range(256))


def test_each_fault_is_what_it_says() -> None:
    data = bytes(range(256))
    assert sent(1, data, drop=1.0) == b""
    assert sent(1, data, duplicate=1.0) == bytes(byte for byte in data for _ in range(2))
    assert all((a ^ b).bit_count() == 1 for a, b in zip(sent(1, data, flip=1.0), data, strict=True))
    assert sent(1, data, repeat=1.0) == data * 2


def test_a_seed_is_a_schedule() -> None:
    data = bytes(1000)
    assert sent(4, data, drop=0.1, flip=0.1) == sent(4, data, drop=0.1, flip=0.1)
    assert sent(4, data, drop=0.1, flip=0.1) != sent(5, data, drop=0.1, flip=0.1)


def test_reads_are_damaged_too_and_stay_exact() -> None:
    device = PythonDevice()
    device.answer = lambda frame: b"abcdef"
    link = FaultyLink(device, 1, duplicate=1.0)
    device._incoming += b"abc"
    assert link.read(5, 1) == b"aabbc"
    assert (link.name, link.cycle_kind, link.faults) == ("python", "measured", 3)
