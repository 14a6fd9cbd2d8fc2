"""The pin that follows the timed region, for a power analyser: from its name to a driver of the firmware."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.board import Board
from sq_micro.errors import UsageError


@dataclass(frozen=True, slots=True)
class EdgePin:
    """driver is a file of firmware/hal; port counts from 0 for A, and is 0 where pins have no ports."""

    driver: str
    port: int
    pin: int


@dataclass(frozen=True, slots=True)
class _Pins:
    """Of one SoC: the driver, names by port and pin, and those that firmware/soc/<soc>/clock.c gives to the UART."""

    driver: str
    names: tuple[tuple[str, ...], ...]
    uart: tuple[str, str]

    def __str__(self) -> str:
        ports = ", ".join(f"{port[0]} to {port[-1]}" for port in self.names)
        return f"{ports}; {' and '.join(self.uart)} are the UART's"


def _stm32(ports: str, uart: tuple[str, str]) -> _Pins:
    return _Pins("stm32_gpio", tuple(tuple(f"P{port}{pin}" for pin in range(16)) for port in ports), uart)


def _numbered(driver: str, count: int, uart: tuple[str, str]) -> _Pins:
    return _Pins(driver, (tuple(f"GPIO{pin}" for pin in range(count)),), uart)


_PINS = {
    "stm32f407": _stm32("ABCDEFGHI", ("PA2", "PA3")),
    "stm32f767": _stm32("ABCDEFGHIJK", ("PD8", "PD9")),
    "stm32h753": _stm32("ABCDEFGHIJK", ("PD8", "PD9")),
    "stm32l4r5": _stm32("ABCDEFGHI", ("PG7", "PG8")),
    # Most of port G has a supply of its own (VDDIO2), which nobody switches on here; so the ports before it.
    "stm32u575": _stm32("ABCDEF", ("PA9", "PA10")),
    "nrf52840": _Pins(
        "nrf_gpio",
        tuple(tuple(f"P{port}.{pin:02}" for pin in range(count)) for port, count in enumerate((32, 16))),
        ("P0.06", "P0.08"),
    ),
    "rp2040": _numbered("rp2_gpio", 30, ("GPIO0", "GPIO1")),
    "rp2350": _numbered("rp2_gpio", 30, ("GPIO0", "GPIO1")),
    "fe310": _numbered("sifive_gpio", 24, ("GPIO16", "GPIO17")),
    "esp32c3": _numbered("esp32c3_gpio", 22, ("GPIO20", "GPIO21")),
}


def edge_pin(text: str, board: Board) -> EdgePin:
    """From a pin's name in the data sheet, such as PC7, P1.02 or GPIO5.

    Raises UsageError iff the SoC has no such pin, the UART has it, or there is no driver for the SoC's pins.
    """
    pins = _PINS.get(board.soc)
    if pins is None:
        raise UsageError(
            f"--edge-pin: there is no driver for the pins of {board.soc}, only for {', '.join(_PINS)};"
            " firmware/include/sqm/hal.h says what one has to do"
        )
    if text in pins.uart:
        raise UsageError(f"--edge-pin {text}: the UART has this pin; take another one of {board.soc}: {pins}")
    for port, names in enumerate(pins.names):
        if text in names:
            return EdgePin(pins.driver, port, names.index(text))
    raise UsageError(f"--edge-pin {text}: the pins of {board.soc} are {pins}")
