"""The tutorial's own project is compiled by a stranger's CMake, and tells the digit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits
from tests.acceptance.test_generated_project import cmake
from tests.docs.documents import ROOT, named_files

TUTORIAL = ROOT / "docs" / "tutorial.md"


@pytest.mark.slow
def test_the_program_of_the_tutorial_tells_a_digit(digits: Digits, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    out = tmp_path / "run"
    assert sq_micro("analyze", digits.model, "--out", out).code == 0
    assert sq_micro("quantize", "--calibrate", digits.calibrate, "--samples", "1", "--out", out).code == 0
    assert sq_micro("generate", "--board", "host", "--out", out).code == 0
    project = tmp_path / "mine"
    shutil.copytree(out / "model", project / "model")
    for name, text in named_files(TUTORIAL).items():
        (project / name).write_text(text)
    build = cmake(project, "-DCMAKE_C_FLAGS=-Wall -Wextra -Wconversion -Werror")
    done = subprocess.run([build / "my_firmware"], capture_output=True, text=True, check=True)
    assert done.stdout == "digit 0\n"
