"""What a flasher does, as data: each step prints as the line a person would type."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Run:
    """Run a program. proof: what it says once the flash holds the image; without it the step has failed."""

    argv: tuple[str, ...]
    proof: str | None = None

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True)
class Convert:
    """Write the image of an ELF as a flat binary, from its lowest address on, or as UF2."""

    form: Literal["bin", "uf2"]
    elf: Path
    target: Path
    family_id: int | None = None

    def __str__(self) -> str:
        family = f" of family {self.family_id:#010x}" if self.family_id is not None else ""
        return f"# {self.elf} as {self.form}{family}: {self.target}"


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy a file to a mounted volume; the device behind it programs what arrives."""

    source: Path
    volume: Path

    def __str__(self) -> str:
        return shlex.join(("cp", str(self.source), str(self.volume)))


Step = Run | Convert | Copy


@dataclass(frozen=True, slots=True)
class FlashPlan:
    """verified_by: who compares the flash with the image, within the steps; None where nobody does."""

    tool: str
    steps: tuple[Step, ...]
    verified_by: str | None

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))
