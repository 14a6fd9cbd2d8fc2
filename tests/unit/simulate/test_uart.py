from __future__ import annotations

from collections import deque

import pytest

from sq_micro.errors import DeviceError, ToolchainError
from sq_micro.simulate.uart import Uart
from sq_micro.simulate.uart_models import make_uart

ISR, ICR, RDR, TDR, CR1 = 0x1C, 0x20, 0x24, 0x28, 0x00
RXNE, TC, TXE, TEACK, REACK = 1 << 5, 1 << 6, 1 << 7, 1 << 21, 1 << 22
DATA, STATE, CTRL = 0x00, 0x04, 0x08
READ_LOOP, WRITE_LOOP = 0x0800_0100, 0x0800_0200


class FakeHost:
    """Each wait brings the next packet."""

    def __init__(self, *packets: bytes) -> None:
        self.packets = deque(packets)
        self.queue: deque[int] = deque()
        self.sent = bytearray()
        self.waits = 0

    @property
    def waiting_bytes(self) -> int:
        return len(self.queue)

    def take(self) -> int:
        return self.queue.popleft() if self.queue else 0

    def send(self, byte: int) -> None:
        self.sent.append(byte)

    def wait(self) -> None:
        self.waits += 1
        self.queue.extend(self.packets.popleft())


class Core:
    """Reads and writes registers from a place in the code."""

    def __init__(self, driver: str, host: FakeHost) -> None:
        self.place = READ_LOOP
        self.uart: Uart = make_uart(driver, host, lambda: self.place)

    def read(self, offset: int, place: int = READ_LOOP) -> int:
        self.place = place
        return self.uart.read(offset, 4)

    def write(self, offset: int, value: int) -> None:
        self.uart.write(offset, 4, value)


def stm32(host: FakeHost) -> Core:
    core = Core("stm32_usart", host)
    core.write(CR1, 0b1101)
    return core


def test_stm32_flags() -> None:
    host = FakeHost(b"a")
    core = stm32(host)
    assert core.read(ISR) == TXE | TC | TEACK | REACK
    assert core.read(ISR) == TXE | TC | TEACK | REACK | RXNE
    assert core.read(RDR) == ord("a")


def test_stm32_does_not_acknowledge_before_it_is_enabled() -> None:
    assert Core("stm32_usart", FakeHost()).read(ISR) == TXE | TC


def test_cmsdk_flags() -> None:
    core = Core("cmsdk", FakeHost(b"ab"))
    assert [core.read(STATE), core.read(STATE)] == [0, 2]
    assert [core.read(DATA), core.read(STATE), core.read(DATA)] == [ord("a"), 2, ord("b")]


def test_the_second_poll_in_a_row_waits() -> None:
    host = FakeHost(b"a")
    core = stm32(host)
    core.read(ISR)
    assert host.waits == 0
    core.read(ISR)
    assert host.waits == 1


def test_what_is_received_is_read_without_waiting() -> None:
    host = FakeHost(b"abc")
    core = stm32(host)
    core.read(ISR)
    got = bytearray()
    while len(got) < 3:
        assert core.read(ISR) & RXNE
        got.append(core.read(RDR))
    assert got == b"abc"
    assert host.waits == 1


def test_writing_between_two_polls_does_not_wait() -> None:
    host = FakeHost()
    core = stm32(host)
    for byte in b"hello":
        core.read(ISR, WRITE_LOOP)
        core.write(TDR, byte)
    assert host.sent == b"hello"
    assert host.waits == 0


def test_a_poll_elsewhere_is_not_the_same_loop() -> None:
    """Flush, compute for long, then write: the second poll is not one for input."""
    host = FakeHost()
    core = stm32(host)
    core.read(ISR, READ_LOOP)
    core.read(ISR, WRITE_LOOP)
    assert host.waits == 0


def test_a_loop_with_two_polls_waits_at_its_second_turn() -> None:
    host = FakeHost(b"a")
    core = stm32(host)
    core.read(ISR, READ_LOOP)
    core.read(ISR, WRITE_LOOP)
    core.read(ISR, READ_LOOP)
    assert host.waits == 1


def test_a_loop_that_clears_errors_waits_in_the_end() -> None:
    host = FakeHost(b"a")
    core = stm32(host)
    for _ in range(2000):
        if core.read(ISR) & RXNE:
            break
        core.write(ICR, 0x0F)
    assert host.waits == 1
    assert core.read(RDR) == ord("a")


def test_sending_through_a_disabled_uart_is_a_fault() -> None:
    for driver, register in (("stm32_usart", TDR), ("cmsdk", DATA)):
        with pytest.raises(DeviceError, match="not enabled"):
            Core(driver, FakeHost()).write(register, 1)


def test_registers_that_are_not_modelled_behave_as_memory() -> None:
    core = stm32(FakeHost())
    core.write(0x0C, 0x1234)
    assert core.read(0x0C) == 0x1234


def test_one_byte_of_a_register() -> None:
    core = stm32(FakeHost(b"a"))
    core.read(ISR)
    assert core.uart.read(ISR + 2, 1) == (TEACK | REACK) >> 16


def test_an_unknown_uart_is_an_error() -> None:
    with pytest.raises(ToolchainError, match="cmsdk, esp32c3, nrf_uart, pl011, sifive, stm32_usart"):
        make_uart("ns16550", FakeHost(), lambda: 0)
