"""What an image is built to be: the application, the inputs in it, the pin that follows the timed region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sq_micro.paths import project_files
from sq_micro.toolchain.pins import EdgePin


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
