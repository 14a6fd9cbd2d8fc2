"""The UARTs as their drivers use them: a byte comes in, a byte goes out, and idle polling waits for the host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sq_micro.errors import DeviceError
from sq_micro.simulate.uart_models import uart_drivers
from tests.unit.simulate.test_uart import WRITE_LOOP, Core, FakeHost


@dataclass(frozen=True)
class Driver:
    """Register offsets and values that firmware/hal/uart_<name>.c uses.

    is_ready  whether a value of the status register says that a byte has come
    """

    name: str
    enable: tuple[tuple[int, int], ...]
    status: int
    is_ready: Callable[[int], bool]
    receive: int | None  # None: the status is the byte
    transmit: int
    room: int
    has_room: Callable[[int], bool]


DRIVERS = (
    Driver("stm32f4_usart", ((0x0C, 0x200C),), 0, lambda s: bool(s & 0x20), 4, 4, 0, lambda s: bool(s & 0x80)),
    Driver("pl011", ((0x30, 0x301),), 0x18, lambda s: not s & 0x10, 0, 0, 0x18, lambda s: not s & 0x20),
    Driver("nrf_uart", ((0x500, 4), (8, 1)), 0x108, lambda s: s == 1, 0x518, 0x51C, 0x11C, lambda s: s == 1),
    Driver("sifive", ((8, 1), (12, 1)), 4, lambda s: not s >> 31, None, 0, 0, lambda s: not s >> 31),
    Driver(
        "esp32c3", ((0x78, 0x3700000 | 1 << 22),), 0x1C, lambda s: s & 0x3FF > 0, 0, 0, 0x1C, lambda s: s >> 16 == 0
    ),
)


def test_every_model_is_tried() -> None:
    assert {driver.name for driver in DRIVERS} | {"stm32_usart", "cmsdk"} == set(uart_drivers())


def started(driver: Driver, host: FakeHost) -> Core:
    core = Core(driver.name, host)
    for offset, value in driver.enable:
        core.write(offset, value)
    return core


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
def test_bytes_come_in_one_by_one(driver: Driver) -> None:
    host = FakeHost(b"ab", b"c")
    core = started(driver, host)
    got = bytearray()
    for _ in range(20):
        status = core.read(driver.status)
        if driver.is_ready(status):
            got.append((status if driver.receive is None else core.read(driver.receive)) & 0xFF)
        if len(got) == 3:
            break
    assert bytes(got) == b"abc"
    assert host.waits == 2, "it waits only when there is nothing"


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
def test_bytes_go_out_and_the_transmitter_has_room(driver: Driver) -> None:
    host = FakeHost()
    core = started(driver, host)
    host.queue.extend(b"x")  # so that no read waits
    for byte in b"hi":
        assert driver.has_room(core.read(driver.room, WRITE_LOOP)) or driver.room == driver.status
        core.write(driver.transmit, byte)
    assert bytes(host.sent) == b"hi"


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
def test_a_transmitter_that_was_not_enabled_is_a_fault(driver: Driver) -> None:
    core = Core(driver.name, FakeHost())
    with pytest.raises(DeviceError, match="not enabled"):
        core.write(driver.transmit, 1)
