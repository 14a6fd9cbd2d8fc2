"""What an image is built to be: the application, the inputs in it, the pin that follows the timed region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import UsageError
from sq_micro.paths import project_files

# SoCs whose pins firmware/hal has a driver for.
_EDGE_DRIVERS = {"stm32l4r5": "stm32l4_gpio"}


@dataclass(frozen=True, slots=True)
class EdgePin:
    """driver is a file of firmware/hal; port counts from 0 for A."""

    driver: str
    port: int
    pin: int


def edge_pin(text: str, board: Board) -> EdgePin:
    """From a pin's name, such as PC7. Raises UsageError iff it is none, or the board's SoC has no driver for it."""
    found = re.fullmatch(r"P([A-I])(\d{1,2})", text)
    if found is None or int(found[2]) > 15:
        raise UsageError(f"--edge-pin {text}: a pin is named as PC7: P, a port A to I, a number 0 to 15")
    driver = _EDGE_DRIVERS.get(board.soc)
    if driver is None:
        raise UsageError(
            f"--edge-pin: there is no driver for the pins of {board.soc}, only for {', '.join(_EDGE_DRIVERS)};"
            " firmware/include/sqm/hal.h says what one has to do"
        )
    return EdgePin(driver, ord(found[1]) - ord("A"), int(found[2]))


@dataclass(frozen=True, slots=True)
class Variant:
    """The bench firmware as everybody has it, unless a field says otherwise.

    app         a file of firmware/app without its .c
    inputs      a C file that implements sqm/inputs.h
    config_dir  a folder with headers that the application wants
    """

    app: str = "bench"
    inputs: Path | None = None
    edge: EdgePin | None = None
    config_dir: Path | None = None

    def definitions(self) -> tuple[str, ...]:
        """For CMake: all of them each time, since it remembers what it is not told."""
        inputs = self.inputs or project_files() / "firmware" / "app" / "inputs_none.c"
        edge = self.edge or EdgePin("none", 0, 0)
        return (
            f"-DSQM_APP={self.app}",
            f"-DSQM_INPUTS={inputs}",
            f"-DSQM_EDGE={edge.driver}",
            f"-DSQM_EDGE_PORT={edge.port}",
            f"-DSQM_EDGE_PIN={edge.pin}",
            f"-DSQM_CONFIG_DIR={self.config_dir or ''}",
        )


BENCH = Variant()
