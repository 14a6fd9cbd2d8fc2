"""Runs of two small models up to their generated C, and the packages made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits
from tests.unit.tflite.tflite_files import converted

BOARD = "nucleo_l4r5zi"


@dataclass(frozen=True)
class Run:
    """A workspace after `generate`; `prefix` begins every name of its C."""

    folder: Path
    prefix: str

    def package(self, kind: str, folder: Path, *options: str) -> Path:
        ran = sq_micro("package", "--out", self.folder, "--kind", kind, "--output", folder, *options)
        assert ran.code == 0, ran.err
        return folder


def digits_run(digits: Digits, folder: Path) -> Run:
    generated(folder, digits.model, "--calibrate", digits.calibrate, "--weight-bits", "4")
    return Run(folder, "sqm_digits")


def sequence_run(folder: Path) -> Run:
    generated(folder, converted("sequence_int8"))
    return Run(folder, "sqm_sequence_int8")


def generated(folder: Path, model: Path, *options: str | Path) -> None:
    for command in (
        ("analyze", model),
        ("quantize", "--samples", "6", *options),
        ("generate", "--board", BOARD),
    ):
        ran = sq_micro(*command, "--out", folder)
        assert ran.code == 0, ran.err
