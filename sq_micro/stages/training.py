"""Fine-tuning a rounded network, with an honest comparison of start and result."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sq_micro.finetune.batches import split_samples
from sq_micro.finetune.launch import finetune
from sq_micro.finetune.options import FinetuneOptions
from sq_micro.finetune.progress import Progress, silent
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.quant.calibrate import Ranges
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.samples import Samples
from sq_micro.rounding import round_network


def train(
    graph: FloatGraph,
    ranges: Ranges,
    rounded: QuantGraph,
    rounded_on: Samples | None,
    training: Samples,
    options: FinetuneOptions,
    folder: Path,
    progress: Progress = silent,
) -> QuantGraph:
    """The trained network, or `rounded` where nothing was better on the samples that training holds out.

    rounded_on   the samples that error feedback rounded `rounded` on; None where weights were rounded without samples
    Where training has these same samples, those held out were seen when weights were rounded, and the start would look
    better on them than it is. Training then starts from weights that were rounded without them.
    """
    start = rounded
    if rounded_on is not None and np.array_equal(rounded_on.x, training.x):
        seen = split_samples(len(training), options).train
        start = round_network(graph, ranges, rounded.bitwidths, training.x[seen].astype(np.float32) * training.scale)
    trained = finetune(graph, ranges, start, training, training.y, options, folder, progress)
    return rounded if trained.digest() == start.digest() else trained
