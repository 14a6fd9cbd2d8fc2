"""Fine-tuning of the default allocator's plans, three seeds each: without labels, as accuracy before and after.

Each run is kept in the cache folder by the hash of all it follows from, so that a table that was interrupted goes on.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import sq_micro.finetune
from sq_micro.finetune.launch import finetune
from sq_micro.finetune.options import Augmentation, FinetuneOptions, recommended
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.quant.calibrate import Ranges, observe
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.samples import Samples, load_samples
from sq_micro.rounding import round_network
from sq_micro.stages.accuracy import accuracy_metric
from sq_micro.stages.compare import Comparison
from sq_micro.stages.quantize import quantized_accuracy
from sq_micro.store import Store, cache_folder, content_key
from tests.bench.cifar10 import IMAGES

SEEDS = (0, 1, 2)
# What leaves an image one of its kind, and a second of speech: mirrored and moved; moved in time.
AUGMENTATIONS = {
    "resnet8_cifar10": Augmentation(mirror=True, shift_rows=3, shift_columns=3),
    "dscnn_kws": Augmentation(shift_rows=3),
}


@dataclass(frozen=True)
class TrainedCell:
    """One plan: accuracy in 0 … 1 by rounding alone, and after training by seed."""

    share: float
    before: float
    after: tuple[float, ...]

    @property
    def spread(self) -> str:
        """Mean and range over the seeds."""
        mean, low, high = statistics.mean(self.after), min(self.after), max(self.after)
        return f"{mean:.2%} ({low:.2%} to {high:.2%})"


def training_samples(name: str, calibration: Path) -> Path | None:
    """DS-CNN learns from its calibration clips, ResNet8 from training images; None where those are not here."""
    if name != "resnet8_cifar10":
        return calibration
    return IMAGES if IMAGES.is_file() else None


def train_plans(
    graph: FloatGraph, folder: Path, found: Comparison, shares: Sequence[float], training: Path
) -> list[TrainedCell]:
    """Fine-tune the `ilp` plan of each share, at every seed."""
    calibration = load_samples(folder / "calib.npz", graph.input_shape)
    classes = graph.topology.shape(graph.topology.output)[-1]
    evaluation = load_samples(folder / "eval.npz", graph.input_shape, classes)
    ranges, samples = observe(graph, calibration, "mse"), load_samples(training, graph.input_shape)
    cells = []
    for plan in found.plans:
        if plan.allocator != "ilp" or plan.share not in shares or plan.accuracy is None:
            continue
        start = round_network(graph, ranges, Bitwidths(plan.bits), calibration)
        after = []
        for seed in SEEDS:
            options = replace(recommended(len(samples)), seed=seed, augmentation=AUGMENTATIONS[folder.name])
            after.append(trained_accuracy(graph, ranges, start, samples, options, evaluation))
            print(f"{folder.name} {plan.share:.1%}, seed {seed}: {plan.accuracy:.2%} to {after[-1]:.2%}", flush=True)
        cells.append(TrainedCell(plan.share, plan.accuracy, tuple(after)))
    return cells


def trained_accuracy(
    graph: FloatGraph,
    ranges: Ranges,
    start: QuantGraph,
    samples: Samples,
    options: FinetuneOptions,
    evaluation: Samples,
) -> float:
    """From the store where this very run was done before; the evaluation set is counted once, after training."""
    store = Store.of_user()
    document = json.dumps(options.document(), sort_keys=True)
    key = content_key("bench training", room_key(), start.digest(), document, samples.x, evaluation.x)
    if (kept := store.get(key)) is not None:
        return float.fromhex(kept.decode())
    trained = finetune(graph, ranges, start, samples, None, options, cache_folder() / "training" / key[:16])
    metric = accuracy_metric(graph.topology)
    assert metric is not None
    accuracy = quantized_accuracy(trained, evaluation, metric)
    store.put(key, accuracy.hex().encode())
    return accuracy


def room_key() -> str:
    """A hash of the code that trains."""
    room = Path(sq_micro.finetune.__file__).parent
    return content_key(*(file.read_bytes() for file in sorted(room.glob("*.py"))))


def training_markdown(name: str, float_accuracy: float, cells: Sequence[TrainedCell]) -> str:
    """Before and after by share."""
    trained = f"fine-tuned, mean of {len(SEEDS)} seeds (range)"
    lines = [
        f"| {name}, float {float_accuracy:.2%}: bytes against int8 | rounding alone | {trained} |",
        "|--:|--:|--:|",
    ]
    lines += [f"| {cell.share:.1%} | {cell.before:.2%} | {cell.spread} |" for cell in cells]
    return "\n".join(lines)
