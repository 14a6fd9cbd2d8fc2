"""Samples that a person brings: an .npz with `x`, and optionally labels `y` and a `scale` (real = scale · x)."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import DataError
from sq_micro.ir.topology import Shape

_CHECK_ROWS = 1024
_ARRAYS = ("x", "y", "scale")
# What zipfile, zlib and numpy raise for files that are damaged, encrypted, or of another kind.
_UNREADABLE = (
    *(OSError, EOFError, ValueError, RuntimeError, SyntaxError, KeyError, OverflowError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


@dataclass(frozen=True, slots=True)
class Samples:
    """x (n, *input_shape) as stored, so that ten thousand images stay small; `real` gives the values."""

    x: NDArray[np.generic]
    y: NDArray[np.int64] | None
    scale: float
    file: Path

    def __len__(self) -> int:
        return len(self.x)

    def real(self, start: int, stop: int) -> NDArray[np.float32]:
        """Real input values of samples start … stop − 1."""
        return np.asarray(self.x[start:stop], np.float32) * np.float32(self.scale)

    def first(self, count: int) -> Samples:
        """The first samples alone; all of them where there are fewer."""
        return Samples(self.x[:count], None if self.y is None else self.y[:count], self.scale, self.file)


def load_samples(path: Path, input_shape: Shape, classes: int | None = None) -> Samples:
    """Read and check a file of samples.

    input_shape  without batch; x may leave out a trailing channel axis of 1
    classes      length of the model's output; labels must lie below it
    Raises DataError naming the file and what to do iff anything does not suit the model.
    """
    arrays = _read(path)
    x = arrays["x"]
    if x.dtype.kind not in "fiub":
        raise DataError(path, f"'x' holds {x.dtype}; numbers are needed")
    if x.ndim == 0 or len(x) == 0:
        raise DataError(path, "'x' is empty; give at least one sample, a few hundred are better")
    if x.shape[1:] == input_shape[:-1] and input_shape[-1] == 1:
        x = x[..., None]
    if x.shape[1:] != input_shape:
        raise DataError(path, f"'x' has samples of shape {x.shape[1:]}; the model takes {input_shape}")
    if x.dtype.kind == "f":
        for start in range(0, len(x), _CHECK_ROWS):
            if not np.isfinite(x[start : start + _CHECK_ROWS]).all():
                raise DataError(path, "'x' holds NaN or infinity; remove those samples")
    return Samples(x, _labels(path, arrays, len(x), classes), _scale(path, arrays), path)


def _read(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays that are ours, `x` certainly among them; others are left alone."""
    if not path.is_file():
        raise DataError(path, "no such file")
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(path, "is a single array; save it with np.savez(…, x=…)")
        with archive:
            names = archive.files
            arrays = {name: archive[name] for name in _ARRAYS if name in names}
    except _UNREADABLE as error:
        raise DataError(path, f"is not a readable .npz file: {error}") from error
    if "x" not in arrays:
        raise DataError(
            path, f"has no array 'x' (it has {', '.join(names) or 'nothing'}); save it with np.savez(…, x=…)"
        )
    return arrays


def _labels(
    path: Path, arrays: dict[str, NDArray[np.generic]], count: int, classes: int | None
) -> NDArray[np.int64] | None:
    if "y" not in arrays:
        return None
    y = arrays["y"]
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or len(y) != count:
        raise DataError(path, f"'y' has shape {y.shape}; one integer label for each of the {count} samples is needed")
    if y.dtype.kind not in "iu":
        raise DataError(path, f"'y' holds {y.dtype}; labels are integers (class numbers)")
    labels = y.astype(np.int64)
    if classes is not None and (labels.min() < 0 or labels.max() >= classes):
        raise DataError(
            path, f"'y' holds labels {labels.min()}..{labels.max()}; the model has classes 0..{classes - 1}"
        )
    return labels


def _scale(path: Path, arrays: dict[str, NDArray[np.generic]]) -> float:
    if "scale" not in arrays:
        return 1.0
    found = arrays["scale"]
    if found.size != 1:
        raise DataError(path, f"'scale' has shape {found.shape}; one number is needed")
    if found.dtype.kind not in "fiu":
        raise DataError(path, f"'scale' holds {found.dtype}; one number is needed")
    scale = float(found.reshape(()).astype(np.float64))
    if not np.isfinite(scale) or scale <= 0:
        raise DataError(path, f"'scale' is {scale}; a positive number is needed")
    return scale
