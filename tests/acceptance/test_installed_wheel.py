"""The wheel carries boards, templates and firmware, and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, Digits


@pytest.mark.slow
def test_an_installed_wheel_deploys_away_from_the_checkout(digits: Digits, tmp_path: Path) -> None:
    wheels, installed, elsewhere = tmp_path / "wheels", tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", wheels, ROOT], check=True)
    (wheel,) = wheels.glob("sq_micro-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", installed, wheel], check=True)
    environment = os.environ | {"PYTHONPATH": str(installed)}

    def run(*arguments: str | Path) -> str:
        command = [sys.executable, "-P", *arguments]
        done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = run("-c", "import sq_micro.paths as p; print(p.__file__); print(p.project_files())")
    assert all(Path(line).is_relative_to(installed) for line in found.splitlines())
    samples = ("--calibrate", digits.calibrate, "--samples", "3", "--runs", "1", "--out", "out")
    assert "identical" in run("-m", "sq_micro", "deploy", digits.model, "--board", "host", *samples)
