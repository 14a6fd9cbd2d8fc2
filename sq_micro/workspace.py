"""The folder of one run: which artefact lies where, and what becomes stale when a stage runs again.

A listing of the folder is the story of the run; each stage reads what the one before it wrote.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sq_micro.errors import UsageError


class Stage(Enum):
    """The stages in order; the value lists what each writes."""

    ANALYZE = ("01_imported.txt", "01_model.tflite", "02_canonical.txt", "02_canonical.npz", "analyze.json")
    ASSIGN = (
        "04_sensitivity.csv",
        "05_assignment.txt",
        "05_assignment.json",
        "05_frontier.csv",
        "bits.json",
        "nearest_bits.json",
        "assign.json",
    )
    QUANTIZE = (
        "03_ranges.txt",
        "06_quantized.txt",
        "06_quantized.npz",
        "06_pruned.npz",
        "07_golden.npz",
        "07_twin.tflite",
        "quantize.json",
    )
    GENERATE = ("08_plan.txt", "model", "board", "generate.json")
    BUILD = ("carried_inputs.c", "firmware.elf", "09_sections.csv", "build.log", "build.json", "sqm.lock")
    MEASURE = ("11_measurement.json", "report.html", "report.md", "result.json")

    @property
    def command(self) -> str:
        """The command that runs this stage alone."""
        return self.name.lower()


_ORDER = tuple(Stage)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths inside `folder`."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    @property
    def build_dir(self) -> Path:
        """CMake's folder; it outlives runs, so that an unchanged model builds in no time."""
        return self.folder / "build"

    def open(self) -> None:
        """Create the folder and make sure that it can be written. Raises UsageError otherwise."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise UsageError(f"--out {self.folder}: cannot be written ({error.strerror})") from error

    def begin(self, stage: Stage) -> None:
        """Remove what this stage and all later ones wrote before: a stale result must not pass for a new one."""
        for later in _ORDER[_ORDER.index(stage) :]:
            for name in later.value:
                path = self.folder / name
                if name in ("model", "board"):
                    continue  # rewritten in place, file by file, so that an unchanged build stays up to date
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)

    def need(self, stage: Stage, name: str) -> Path:
        """The path of an artefact that an earlier stage wrote. Raises UsageError naming that stage iff absent."""
        path = self.folder / name
        if not path.exists():
            raise UsageError(f"{self.folder} has no {name}; run `sq-micro {stage.command} … --out {self.folder}` first")
        return path

    def publish(self, source: Path, name: str) -> Path:
        """Copy a file into the folder, whole or not at all."""
        target = self.folder / name
        temporary = target.with_name(f".{name}.part")
        shutil.copyfile(source, temporary)
        shutil.copymode(source, temporary)
        return temporary.replace(target)
