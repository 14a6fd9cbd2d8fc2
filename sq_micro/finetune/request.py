"""What the parent hands to the child: a folder with `request.json` and three archives.

    request.json    version, options, ranges, the content key, the names of the archives
    float.npz       the float network                          (`ir.storage`)
    start.npz       the integers to start from                 (`quant.storage`)
    samples.npz     `x` as the person stored it, `scale`, and `y` iff the labels are to be used

The key is the hash of all of it: a checkpoint belongs to the request whose key it carries.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import UsageError
from sq_micro.finetune.options import FinetuneOptions
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.storage import load_archive, load_float_graph, save_archive, save_float_graph
from sq_micro.paths import write_atomically
from sq_micro.quant.calibrate import Range, Ranges
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.observers import ObserverName
from sq_micro.quant.storage import load_quant_graph, save_quant_graph
from sq_micro.store import content_key

VERSION = 2  # changes with the meaning of a request or of a checkpoint
_FLOAT, _START, _SAMPLES = "float.npz", "start.npz", "samples.npz"


@dataclass(frozen=True, slots=True)
class TrainingSamples:
    """x (n, *input_shape) as stored, real = scale · x; labels (n,) int64 or None."""

    x: NDArray[Any]
    scale: float
    labels: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class Request:
    """One training run: everything that decides its result."""

    graph: FloatGraph
    ranges: Ranges
    start: QuantGraph
    samples: TrainingSamples
    options: FinetuneOptions

    def key(self) -> str:
        """Equal for equal runs."""
        constants: list[str | NDArray[Any]] = []
        for name, values in sorted(self.graph.constants.items()):
            constants += [name, values]
        return content_key(
            VERSION,
            self.start.digest(),
            json.dumps(_ranges_document(self.ranges)),
            json.dumps(self.options.document(), sort_keys=True),
            *constants,
            self.samples.x,
            self.samples.scale,
            self.samples.labels,
        )


def save_request(request: Request, folder: Path) -> Path:
    """Write a request; `request.json` comes last. Returns its path."""
    save_float_graph(request.graph, folder / _FLOAT)
    save_quant_graph(request.start, folder / _START)
    arrays: dict[str, NDArray[Any]] = {"x": request.samples.x}
    if request.samples.labels is not None:
        arrays["y"] = request.samples.labels
    save_archive(folder / _SAMPLES, {"scale": request.samples.scale}, arrays)
    document = {
        "version": VERSION,
        "key": request.key(),
        "options": request.options.document(),
        "ranges": _ranges_document(request.ranges),
    }
    file = folder / "request.json"
    write_atomically(file, json.dumps(document, indent=1))
    return file


def load_request(file: Path) -> Request:
    """Read what `save_request` wrote. Raises UsageError iff a file is missing, damaged or of another request."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        version, key = document["version"], document["key"]
        ranges, options = _ranges(document["ranges"]), document["options"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file}: is not a request for fine-tuning ({error!r}); run `sq-micro finetune`") from error
    if version != VERSION:
        raise UsageError(f"{file}: is of version {version}, not {VERSION}; run `sq-micro finetune` again")
    head, arrays = load_archive(file.parent / _SAMPLES)
    try:
        samples = TrainingSamples(arrays["x"], float(head["scale"]), arrays.get("y"))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file.parent / _SAMPLES}: holds no training samples ({error!r})") from error
    request = Request(
        graph=load_float_graph(file.parent / _FLOAT),
        ranges=ranges,
        start=load_quant_graph(file.parent / _START),
        samples=samples,
        options=FinetuneOptions.from_document(options),
    )
    if request.key() != key:
        raise UsageError(f"{file}: its archives are of another request; run `sq-micro finetune` again")
    return request


def _ranges_document(ranges: Ranges) -> dict[str, Any]:
    spans = {name: [span.minimum, span.maximum] for name, span in ranges.tensors.items()}
    return {"observer": ranges.observer, "samples": ranges.samples, "tensors": spans, "bits": dict(ranges.bits)}


def _ranges(document: dict[str, Any]) -> Ranges:
    if document["observer"] not in get_args(ObserverName):
        raise ValueError(f"no observer {document['observer']!r}")
    spans = {name: Range(float(low), float(high)) for name, (low, high) in document["tensors"].items()}
    bits = {name: int(width) for name, width in document["bits"].items()}
    return Ranges(spans, document["observer"], int(document["samples"]), bits)
