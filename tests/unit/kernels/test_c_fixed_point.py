"""exp, 1/(1+x) and the logistic function of the C kernels equal the reference's in every bit, not only in the codes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sq_micro.paths import project_files
from sq_micro.reference.fixed_point import exp_of_negative, logistic, one_over_one_plus

FIRMWARE = project_files() / "firmware"
SOURCE = Path(__file__).parents[2] / "firmware" / "fixed_point_values.c"


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
def test_fixed_point_functions_are_the_references(tmp_path: Path) -> None:
    program = tmp_path / "fixed_point_values"
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=address,undefined"]
    flags += ["-fno-sanitize-recover=all", f"-I{FIRMWARE}", f"-I{FIRMWARE / 'include'}"]
    subprocess.run(["gcc", *flags, str(SOURCE), "-o", str(program)], check=True)
    rng = np.random.default_rng(7)
    uniform = rng.integers(0, 1 << 31, 100_000)
    powers = (1 << np.arange(31))[:, None] + np.array([-1, 0, 1])
    values = np.concatenate([uniform, uniform >> rng.integers(0, 31, uniform.size), powers.reshape(-1)])
    values = np.clip(values, 0, (1 << 31) - 1).astype(np.int64)
    expected = np.stack(
        [
            exp_of_negative(-values, 5),
            exp_of_negative(-values, 4),
            one_over_one_plus(values),
            logistic(values, 4),
            logistic(-values, 4),
        ],
        axis=1,
    )
    done = subprocess.run([program], input=values.astype("<i4").tobytes(), capture_output=True, check=True)
    got = np.frombuffer(done.stdout, "<i4").reshape(-1, 5)
    wrong = np.argwhere(got != expected)
    assert wrong.size == 0, [(int(values[row]), int(column)) for row, column in wrong[:5]]
