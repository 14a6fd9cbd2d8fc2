"""The digits example with its samples: small, and always there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Digits:
    """Files of the example."""

    model: Path
    calibrate: Path
    evaluate: Path


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    folder = tmp_path_factory.mktemp("digits")
    subprocess.run([sys.executable, ROOT / "examples/digits/samples.py", folder], check=True)
    return Digits(ROOT / "examples/digits/digits.keras", folder / "calib.npz", folder / "eval.npz")
