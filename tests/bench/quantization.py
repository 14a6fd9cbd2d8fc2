"""`make bench-quantization`: accuracy over packed bytes by allocator, and after fine-tuning, on networks that are here.

The first table involves no training, hence no seeds: the same inputs give the same table. The second has three. Results
are kept in the cache folder: a run that was interrupted goes on. `--no-training` leaves the second table out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from sq_micro.cost.budget import Budget
from sq_micro.frontend.keras_model import load_keras
from sq_micro.mapper import ProcessMapper
from sq_micro.passes import canonicalise
from sq_micro.quant.samples import load_samples
from sq_micro.report.comparison import ComparedRow, print_comparison
from sq_micro.stages.assign import AssignRequest
from sq_micro.stages.compare import CompareRequest, Comparison, compare_allocators
from tests.bench.readme import replace_block
from tests.bench.training import train_plans, training_markdown, training_samples

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NETWORKS = ("dscnn_kws", "resnet8_cifar10")
SHARES = (0.25, 0.28, 0.3125, 0.375, 0.5, 0.625)
TRAINED_SHARES = SHARES[:-1]


def main() -> None:
    """Compare all allocators on the networks named, or on all; those that are not on this machine are left out."""
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("-")] or NETWORKS
    names = [name for name in wanted if (DATA / name).is_dir()]
    if not names:
        sys.exit("no network is on this machine: ../shared/data is absent")
    tables: list[str] = []
    trained: list[str] = []
    mapper = ProcessMapper()
    for name in names:
        found = compared(name, mapper)
        rows = [
            ComparedRow(
                plan.allocator,
                plan.share,
                plan.weight_bytes,
                plan.feasible,
                tuple(plan.bits.values()),
                plan.calibration_divergence,
                plan.accuracy,
            )
            for plan in found.plans
        ]
        print_comparison(f"{name} (float {found.float_accuracy:.2%})", rows, Console(width=130))
        tables.append(markdown(name, found))
        if "--no-training" not in sys.argv and (table := trained_table(name, found)):
            print(table)
            trained.append(table)
    mapper.close()
    if "--readme" in sys.argv:
        replace_block("allocators", "\n\n".join(tables))
        if trained:
            replace_block("training", "\n\n".join(trained))


def compared(name: str, mapper: ProcessMapper) -> Comparison:
    """All allocators at all shares, results kept in the cache between runs."""
    folder = DATA / name
    graph = canonicalise(load_keras(folder / "model.keras"))
    calibration = load_samples(folder / "calib.npz", graph.input_shape)
    classes = graph.topology.shape(graph.topology.output)[-1]
    evaluation = load_samples(folder / "eval.npz", graph.input_shape, classes)
    request = AssignRequest(folder / "calib.npz", "nucleo_l4r5zi", Budget())
    return compare_allocators(graph, calibration, evaluation, request, CompareRequest(SHARES), mapper)


def trained_table(name: str, found: Comparison) -> str:
    """Fine-tuning of the default allocator's plans; empty where there is nothing to train on."""
    folder = DATA / name
    samples = training_samples(name, folder / "calib.npz")
    if samples is None:
        print(f"{name}: no training images here, fine-tuning is left out; see tests/bench/cifar10.py")
        return ""
    assert found.float_accuracy is not None
    graph = canonicalise(load_keras(folder / "model.keras"))
    return training_markdown(name, found.float_accuracy, train_plans(graph, folder, found, TRAINED_SHARES, samples))


def markdown(name: str, found: Comparison) -> str:
    """Accuracy by allocator and share."""
    allocators = list(dict.fromkeys(plan.allocator for plan in found.plans))
    shares = list(dict.fromkeys(plan.share for plan in found.plans))
    by_key = {(plan.allocator, plan.share): plan for plan in found.plans}
    head = " | ".join(f"{share:.1%}" for share in shares)
    lines = [
        f"| {name}, float {found.float_accuracy:.2%}: bytes against int8 | {head} |",
        "|---|" + "--:|" * len(shares),
    ]
    for allocator in allocators:
        cells = []
        for share in shares:
            plan = by_key[allocator, share]
            cells.append(f"{plan.accuracy:.2%}" if plan.feasible and plan.accuracy is not None else "does not fit")
        lines.append(f"| {allocator} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
