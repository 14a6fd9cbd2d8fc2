"""Fine-tuning as the rest of sq-micro sees it: a function that runs the child and gives its result."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import QuantizationError, SqMicroError, TrainingError, UsageError
from sq_micro.finetune.batches import split_samples
from sq_micro.finetune.options import FinetuneOptions
from sq_micro.finetune.progress import Progress, round_of_line, silent
from sq_micro.finetune.request import Request, TrainingSamples, save_request
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import Sigmoid, Softmax
from sq_micro.ir.topology import Topology
from sq_micro.quant.calibrate import Ranges
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.samples import Samples
from sq_micro.quant.storage import load_quant_graph

_STOP_S = 10.0
_RESULT = "result.npz"
_BY_EXIT_CODE: dict[int, type[SqMicroError]] = {UsageError.exit_code: UsageError}


def finetune(
    graph: FloatGraph,
    ranges: Ranges,
    quantized: QuantGraph,
    samples: Samples | NDArray[np.floating],
    labels: NDArray[np.integer] | None,
    options: FinetuneOptions,
    folder: Path,
    progress: Progress = silent,
) -> QuantGraph:
    """Train the weights, scales, biases and ranges of `quantized` until it says what the float network says.

    graph     canonical, the network that `quantized` was made of, with these `ranges`
    samples   (n, *input_shape) real values, or a person's file of them
    labels    (n,) class numbers, or None: then only the float network teaches
    folder    where request, checkpoint and result lie. A run that was interrupted goes on when it is asked for again
              with equal arguments; with others the folder is begun anew
    progress  told of each round, those before an interruption included

    The result is never worse than `quantized` on the samples held out; where nothing was better, it is `quantized`.
    Raises UsageError iff samples, labels or options do not suit the network, TrainingError iff training fails.
    """
    request = Request(graph, ranges, quantized, _training_samples(samples, labels, graph), options)
    _check(request)
    file = save_request(request, folder)
    _run_child(file, progress)
    return load_quant_graph(folder / _RESULT)


def _training_samples(
    samples: Samples | NDArray[np.floating], labels: NDArray[np.integer] | None, graph: FloatGraph
) -> TrainingSamples:
    x, scale = (samples.x, samples.scale) if isinstance(samples, Samples) else (samples, 1.0)
    if x.shape[1:] != graph.input_shape:
        raise UsageError(f"training samples have shape {x.shape[1:]}; the network takes {graph.input_shape}")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise UsageError("training samples hold NaN or infinity; remove those samples")
    return TrainingSamples(x, scale, None if labels is None else _labels(labels, len(x), graph.topology))


def _labels(labels: NDArray[np.integer], count: int, topology: Topology) -> NDArray[np.int64]:
    last, shape = topology.producer(topology.output), topology.shape(topology.output)
    single = isinstance(last, Sigmoid) and shape[1:] == (1,)
    if not single and not (isinstance(last, Softmax) and len(shape) == 2):
        raise UsageError(
            "labels are for networks that end in a Softmax over classes or in one Sigmoid; without labels"
            " fine-tuning learns from the float network alone"
        )
    if labels.shape != (count,):
        raise UsageError(f"labels have shape {labels.shape}; one for each of the {count} training samples is needed")
    if labels.dtype.kind not in "iu":
        raise UsageError(f"labels are {labels.dtype}; integers (class numbers) are needed")
    classes = 2 if single else shape[-1]
    if labels.min() < 0 or labels.max() >= classes:
        raise UsageError(f"labels are {labels.min()}..{labels.max()}; the network has classes 0..{classes - 1}")
    return labels.astype(np.int64)


def _check(request: Request) -> None:
    """What would fail in the child after seconds fails here at once."""
    split_samples(len(request.samples), request.options)
    if request.graph.given is not None:
        raise UsageError("the model's file gives integers, which training would change; train its float model")
    if not any(True for _ in request.start.topology.weighted()):
        raise UsageError("the network has no weights: there is nothing to train")
    shape, changes = request.start.topology.shape(request.start.topology.input), request.options.augmentation
    if len(shape) != 4 and (changes.mirror or changes.shift_rows or changes.shift_columns):
        raise UsageError("mirroring and shifting are for images and sequences; this network takes vectors")
    for name, values in request.graph.constants.items():
        if not np.isfinite(values).all():
            raise QuantizationError(name, "NaN or infinity among the trained values")


def _run_child(file: Path, progress: Progress) -> None:
    """Raises the child's error, or TrainingError iff it ended in another way."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "sq_micro.finetune", "--request", str(file)]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
        try:
            assert child.stdout is not None
            for line in child.stdout:
                found = round_of_line(line)
                if found is not None:
                    progress(found)
            code = child.wait()
        finally:
            _stop(child)
        if code != 0:
            raise _error(code, errors)


def _stop(child: subprocess.Popen[str]) -> None:
    """End the child if it still runs: when we are interrupted, or `progress` raises."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _error(code: int, errors: IO[bytes]) -> SqMicroError:
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace").strip().splitlines()
    last = said[-1] if said else "it said nothing"
    if code < 0:
        return TrainingError(f"training was ended by signal {-code}; run it again to go on from its last checkpoint")
    return _BY_EXIT_CODE.get(code, TrainingError)(last)
