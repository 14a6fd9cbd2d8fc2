from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest

from sq_micro.paths import project_files

pytestmark = pytest.mark.slow  # Keras on JAX starts for seconds


@cache
def computed() -> Any:
    command = [sys.executable, "-m", "tests.unit.finetune.gradients"]
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=project_files(), env=environment, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_activations_pass_gradients_inside_the_range_alone() -> None:
    assert computed()["activation"]["x"] == [0, 1, 1, 1, 0]


def test_scales_of_activations_have_lsqs_gradient() -> None:
    found = computed()["activation"]
    low, high, scale = -64, 191, 1 / 64
    expected = []
    for x in found["points"]:
        v = x / scale
        expected.append(scale * (low if v < low else high if v > high else round(v) - v))
    np.testing.assert_allclose(found["log_scale"], expected, atol=1e-5)


def test_weights_pass_gradients_in_steps_between_their_levels() -> None:
    found = computed()["weights"]
    np.testing.assert_allclose(found["latent"], [[0.5] * 2, [0.25] * 2, [2 * 2.0] * 2])


def test_scales_of_weights_have_the_codes_as_gradient() -> None:
    np.testing.assert_allclose(computed()["weights"]["log_scale"], [0.5 * -1, 0.25 * 1, 2.0 * 2])


def test_latents_stay_within_their_levels() -> None:
    np.testing.assert_allclose(computed()["weights"]["inside"], [[1.0], [2.0], [1.5]])


def test_a_step_moves_everything_by_no_more_than_its_learning_rate() -> None:
    step = computed()["step"]
    moved, latents = step["moved"], step["latents"]
    assert np.isfinite(step["loss"])
    assert all(0 < change <= 0.0101 for change in moved[:latents])
    assert all(0 < change <= 0.00101 for change in moved[latents:])
    assert max(moved[:latents]) > 0.005
