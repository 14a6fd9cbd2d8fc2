"""What a person hands over from Python: models and samples as files or objects, bits as a number, a file or by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir.storage import write_arrays
from sq_micro.paths import write_atomically

Model: TypeAlias = str | Path | Any
Samples: TypeAlias = str | Path | NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]
WeightBits: TypeAlias = int | str | Path | Mapping[str, int]
"""One width for all, the path of a plan file, or widths by operator name."""

DEFAULT_OUT = Path("out/deploy")
_INPUTS = "inputs"  # where models and samples that are no files yet are put


def model_file(model: Model, folder: Path) -> Path:
    """The file of a model; a Keras model is saved first."""
    if isinstance(model, str | Path):
        return Path(model)
    file = folder / _INPUTS / f"{model.name}.keras"
    file.parent.mkdir(parents=True, exist_ok=True)
    model.save(file)
    return file


def samples_file(samples: Samples | None, folder: Path, name: str) -> Path | None:
    """The .npz of samples, if there are any; arrays are written first."""
    return None if samples is None else given_samples_file(samples, folder, name)


def given_samples_file(samples: Samples, folder: Path, name: str) -> Path:
    """The .npz of samples that must be there; arrays are written first."""
    if isinstance(samples, str | Path):
        return Path(samples)
    x, y = samples if isinstance(samples, tuple) else (samples, None)
    file = folder / _INPUTS / f"{name}.npz"
    arrays = {"x": np.asarray(x)} if y is None else {"x": np.asarray(x), "y": np.asarray(y)}
    write_arrays(file, arrays)
    return file


def bits_text(weight_bits: WeightBits, folder: Path) -> str:
    """What `--weight-bits` takes; a mapping is written as a plan file first, operators it leaves out having 8."""
    if not isinstance(weight_bits, Mapping):
        return str(weight_bits)
    file = folder / _INPUTS / "bits.json"
    write_atomically(file, json.dumps({"default": 8, "operators": dict(weight_bits)}, indent=2) + "\n")
    return str(file)
