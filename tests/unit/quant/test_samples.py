"""Samples that a person brings, good and bad."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import DataError
from sq_micro.quant.samples import Samples, load_samples

SHAPE = (4, 3, 1)


def saved(folder: Path, **arrays: object) -> Path:
    path = folder / "samples.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def images(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *SHAPE)).astype(np.uint8)


def test_samples_stay_as_stored_and_become_real_on_demand(tmp_path: Path) -> None:
    x = images()
    samples = load_samples(saved(tmp_path, x=x, y=np.arange(5), scale=1 / 255), SHAPE, classes=5)
    assert len(samples) == 5
    assert samples.x.dtype == np.uint8
    assert samples.y is not None
    assert samples.y.tolist() == [0, 1, 2, 3, 4]
    real = samples.real(1, 3)
    assert real.dtype == np.float32
    np.testing.assert_array_equal(real, x[1:3].astype(np.float32) * np.float32(1 / 255))
    assert len(samples.real(3, 99)) == 2


def test_labels_and_scale_may_be_left_out(tmp_path: Path) -> None:
    samples = load_samples(saved(tmp_path, x=images()), SHAPE)
    assert (samples.y, samples.scale) == (None, 1.0)


def test_a_channel_axis_of_one_may_be_left_out(tmp_path: Path) -> None:
    assert load_samples(saved(tmp_path, x=images()[..., 0]), SHAPE).x.shape == (5, *SHAPE)


def test_labels_may_be_a_column(tmp_path: Path) -> None:
    samples = load_samples(saved(tmp_path, x=images(3), y=np.array([[2], [0], [1]])), SHAPE, classes=3)
    assert samples.y is not None
    assert samples.y.tolist() == [2, 0, 1]


def test_the_first_samples_alone(tmp_path: Path) -> None:
    samples = load_samples(saved(tmp_path, x=images(), y=np.arange(5), scale=0.5), SHAPE)
    first = samples.first(2)
    assert isinstance(first, Samples)
    assert first.y is not None
    assert (len(first), first.y.tolist(), first.scale) == (2, [0, 1], 0.5)
    assert len(samples.first(99)) == 5


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({}, "has no array 'x' (it has nothing)"),
        ({"images": images()}, "has no array 'x' (it has images)"),
        ({"x": np.zeros((5, 3, 4, 1))}, "'x' has samples of shape (3, 4, 1); the model takes (4, 3, 1)"),
        ({"x": np.zeros(5)}, "'x' has samples of shape (); the model takes (4, 3, 1)"),
        ({"x": np.zeros((0, *SHAPE))}, "'x' is empty; give at least one sample"),
        ({"x": np.float32(3)}, "'x' is empty"),
        ({"x": np.array(["a"])}, "'x' holds <U1; numbers are needed"),
        ({"x": np.zeros((2, *SHAPE), complex)}, "'x' holds complex128; numbers are needed"),
        ({"x": np.full((2, *SHAPE), np.nan)}, "'x' holds NaN or infinity"),
        ({"x": np.full((2, *SHAPE), -np.inf, np.float32)}, "'x' holds NaN or infinity"),
        ({"x": images(), "y": np.arange(4)}, "'y' has shape (4,); one integer label for each of the 5 samples"),
        ({"x": images(), "y": np.eye(5)}, "'y' has shape (5, 5); one integer label for each of the 5 samples"),
        ({"x": images(), "y": np.int64(3)}, "'y' has shape (); one integer label for each of the 5 samples"),
        ({"x": images(), "y": np.arange(5.0)}, "'y' holds float64; labels are integers"),
        ({"x": images(), "y": np.arange(5) + 1}, "'y' holds labels 1..5; the model has classes 0..4"),
        ({"x": images(), "y": np.arange(5) - 1}, "'y' holds labels -1..3; the model has classes 0..4"),
        ({"x": images(), "scale": np.ones(3)}, "'scale' has shape (3,); one number is needed"),
        ({"x": images(), "scale": 0.0}, "'scale' is 0.0; a positive number is needed"),
        ({"x": images(), "scale": np.inf}, "'scale' is inf; a positive number is needed"),
        ({"x": images(), "scale": "small"}, "'scale' holds <U5; one number is needed"),
    ],
)
def test_what_does_not_suit_the_model_is_said(tmp_path: Path, arrays: dict[str, object], problem: str) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(DataError, match=re.escape(f"{path}: {problem}")) as caught:
        load_samples(path, SHAPE, classes=5)
    assert caught.value.exit_code == 2


def test_nan_is_found_wherever_it_is(tmp_path: Path) -> None:
    x = np.zeros((3000, *SHAPE), np.float32)
    x[-1, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="NaN"):
        load_samples(saved(tmp_path, x=x), SHAPE)


def test_files_that_are_no_npz(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_samples(tmp_path / "absent.npz", SHAPE)
    with pytest.raises(DataError, match="no such file"):
        load_samples(tmp_path, SHAPE)
    single = tmp_path / "single.npy"
    np.save(single, images())
    with pytest.raises(DataError, match=r"is a single array; save it with np\.savez"):
        load_samples(single, SHAPE)
    for content in (b"", b"PK\x03\x04 and no more", b"a,b,c\n1,2,3\n"):
        path = tmp_path / "broken.npz"
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"is not a readable \.npz file"):
            load_samples(path, SHAPE)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_file_is_either_read_or_refused(tmp_path: Path, save: Callable[..., None]) -> None:
    path = tmp_path / "damaged.npz"
    save(path, x=images(20), y=np.arange(20))
    whole = path.read_bytes()
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(200):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            damaged[at] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            load_samples(path, SHAPE)
        except DataError:
            refused += 1
    assert refused > 150, "the checksums of a zip see nearly everything"


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    trap = np.array([Trap()], dtype=object)
    with pytest.raises(DataError, match=r"is not a readable \.npz file"):
        load_samples(saved(tmp_path, x=trap), SHAPE)
    assert len(load_samples(saved(tmp_path, x=images(), notes=trap), SHAPE)) == 5, "other arrays are left alone"
    assert not (tmp_path / "sprung").exists()
