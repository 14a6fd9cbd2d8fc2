"""Searches over plans, training, and comparisons with the float network or a device, as functions of `sq_micro.api`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sq_micro import pipeline
from sq_micro.assign.problem import ALLOCATORS, Allocator
from sq_micro.board import board_ids, load_board
from sq_micro.budget_request import budget_of
from sq_micro.cost.budget import Budget
from sq_micro.inputs import (
    DEFAULT_OUT,
    Model,
    Samples,
    WeightBits,
    bits_text,
    given_samples_file,
    model_file,
    samples_file,
)
from sq_micro.ir.kernel_set import KernelsChoice
from sq_micro.quant.observers import ObserverName
from sq_micro.rounding import RoundingMethod
from sq_micro.stages.analyze import analyze
from sq_micro.stages.assign import AssignRequest
from sq_micro.stages.compare import CompareRequest, Comparison, compare_model
from sq_micro.stages.diff import SAMPLES as DIFF_SAMPLES
from sq_micro.stages.diff import Diff, DiffRequest
from sq_micro.stages.diff import diff as diff_stage
from sq_micro.stages.diff_firmware import FirmwareDiff, FirmwareDiffRequest
from sq_micro.stages.diff_firmware import diff_firmware as diff_firmware_stage
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import GOLDEN_SAMPLES, QuantizeOptions, quantize
from sq_micro.stages.records import QuantizeRecord
from sq_micro.stages.sweep import Sweep, sweep_model
from sq_micro.toolchain.compiler import CompilerChoice
from sq_micro.workspace import Workspace


def sweep(
    model: Model,
    flash: Sequence[str],
    *,
    calibrate: Samples,
    boards: Sequence[str] | None = None,
    sram: str | None = None,
    latency: str | None = None,
    energy: str | None = None,
    allocator: Allocator = "ilp",
    observer: ObserverName = "mse",
    compiler: CompilerChoice = "auto",
    kernels: KernelsChoice = "auto",
    workers: int | None = None,
    dask: str | None = None,
    keep: bool = True,
    out: str | Path = DEFAULT_OUT,
    notify: Notify = silent,
) -> Sweep:
    """The best plan for every board under every budget; the sheet is `sweep.csv` in the folder.

    flash   budgets, as "32KiB"; the other ones hold beside each of them
    boards  ids or board files; all that have memories by default
    """
    budgets = [budget_of(text, sram, latency, energy, None) for text in flash]
    names = boards or [name for name in board_ids() if load_board(name).sram]
    request = AssignRequest(
        given_samples_file(calibrate, Path(out), "calibrate"),
        names[0],
        Budget(),
        allocator=allocator,
        observer=observer,
        compiler=compiler,
        kernels=kernels,
        workers=workers,
        dask=dask,
        keep=keep,
    )
    return sweep_model(Workspace(Path(out)), model_file(model, Path(out)), names, budgets, request, notify)


def compare_allocators(
    model: Model,
    *,
    calibrate: Samples,
    board: str = "nucleo_l4r5zi",
    evaluate: Samples | None = None,
    shares: Sequence[float] = CompareRequest().shares,
    allocators: Sequence[Allocator] = ALLOCATORS,
    pins: Mapping[str, int] | None = None,
    observer: ObserverName = "mse",
    rounding: RoundingMethod = "feedback",
    pairwise: bool = False,
    workers: int | None = None,
    dask: str | None = None,
    keep: bool = True,
    out: str | Path = DEFAULT_OUT,
    notify: Notify = silent,
) -> Comparison:
    """Every allocator at equal bytes of packed weights; table and plots are written to the folder.

    shares  of the bytes that 8-bit weights take, each in (0, 1]
    """
    folder = Path(out)
    request = AssignRequest(
        given_samples_file(calibrate, folder, "calibrate"),
        board,
        Budget(),
        pins=pins or {},
        observer=observer,
        rounding=rounding,
        pairwise=pairwise,
        workers=workers,
        dask=dask,
        keep=keep,
    )
    wanted = CompareRequest(tuple(shares), tuple(allocators))
    evaluation = samples_file(evaluate, folder, "evaluate")
    return compare_model(Workspace(folder), model_file(model, folder), evaluation, request, wanted, notify)


def finetune(
    model: Model,
    *,
    calibrate: Samples,
    train: Samples,
    evaluate: Samples | None = None,
    weight_bits: WeightBits = 8,
    observer: ObserverName = "mse",
    samples: int = GOLDEN_SAMPLES,
    epochs: int | None = None,
    learning_rate: float | None = None,
    out: str | Path = DEFAULT_OUT,
    notify: Notify = silent,
    done: pipeline.StageDone = pipeline.unseen,
) -> QuantizeRecord:
    """Analyze, quantize and train a plan of bits, and leave it where `generate` goes on from.

    Goes on from its last checkpoint where it was interrupted. Raises TrainingError iff training ends without a result.
    """
    workspace = Workspace(Path(out))
    wanted = QuantizeOptions(
        samples_file(calibrate, workspace.folder, "calibrate"),
        samples_file(evaluate, workspace.folder, "evaluate"),
        bits_text(weight_bits, workspace.folder),
        observer,
        samples=samples,
        train=samples_file(train, workspace.folder, "train"),
        epochs=epochs,
        learning_rate=learning_rate,
    )
    workspace.open()
    done("analyze", analyze(workspace, model_file(model, workspace.folder)))
    return quantize(workspace, wanted, notify)


def diff(*, calibrate: Samples, samples: int = DIFF_SAMPLES, out: str | Path = DEFAULT_OUT) -> Diff:
    """Each operator's noise against the float network, the worst first, on so many of the samples."""
    file = given_samples_file(calibrate, Path(out), "diff")
    return diff_stage(Workspace(Path(out)), DiffRequest(file, samples))


def diff_firmware(
    *,
    calibrate: Samples,
    samples: int = 1,
    link: str | None = None,
    port: str | None = None,
    renode: str | None = None,
    out: str | Path = DEFAULT_OUT,
    notify: Notify = silent,
) -> FirmwareDiff:
    """Step through the built image on a link, and find the first value of each sample that is not the reference's."""
    file = given_samples_file(calibrate, Path(out), "diff")
    return diff_firmware_stage(Workspace(Path(out)), FirmwareDiffRequest(file, samples, link, port, renode), notify)
