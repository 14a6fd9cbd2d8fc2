"""sq-micro from Python: `sq_micro.deploy` does everything, and each stage is a function here.

    import sq_micro

    run = sq_micro.deploy("wake_word.keras", "nucleo_l4r5zi", calibrate=x_train[:200], evaluate=(x_test, y_test),
                          flash="48KiB", max_drop=1.0)
    run.result.memory.flash_bytes.total
    run.package("cmake", "wake_word_library")

The command line is a skin over these functions. They share a folder, `out`: each stage reads what the one before it
left there. A model is a path (.keras, .h5, .tflite) or a Keras model; samples are the path of an .npz, an array of
inputs, or a pair of inputs and labels. Errors are those of `sq_micro.errors`; nothing is half-written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from sq_micro import pipeline
from sq_micro.assign.problem import Allocator
from sq_micro.budget_request import asked_to_assign, budget_of, needed_samples, require_measurable
from sq_micro.codegen.package import PackageKind
from sq_micro.inputs import DEFAULT_OUT as DEFAULT_OUT
from sq_micro.inputs import Model, Samples, WeightBits, bits_text, model_file, samples_file
from sq_micro.ir.kernel_set import KernelsChoice
from sq_micro.notebook import result_table
from sq_micro.quant.observers import ObserverName
from sq_micro.quant.weights import WeightScales
from sq_micro.report.result import Result
from sq_micro.rounding import RoundingMethod
from sq_micro.searches import compare_allocators as compare_allocators
from sq_micro.searches import diff as diff
from sq_micro.searches import diff_firmware as diff_firmware
from sq_micro.searches import finetune as finetune
from sq_micro.searches import sweep as sweep
from sq_micro.stages import analyze as analyze_stage
from sq_micro.stages import assign as assign_stage
from sq_micro.stages import build as build_stage
from sq_micro.stages import export as export_stage
from sq_micro.stages import generate as generate_stage
from sq_micro.stages import measure as measure_stage
from sq_micro.stages import package as package_stage
from sq_micro.stages import quantize as quantize_stage
from sq_micro.stages import reproduce as reproduce_stage
from sq_micro.stages.export import ExportFormat, ExportRecord
from sq_micro.stages.package import DEFAULT_VERSION, PLACEHOLDER_HOMEPAGE, PackageRecord
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import GOLDEN_SAMPLES, QuantizeOptions
from sq_micro.stages.records import AnalyzeRecord, AssignRecord, BuiltRecord, GenerateRecord, QuantizeRecord
from sq_micro.stages.reproduce import Reproduction
from sq_micro.toolchain.compiler import CompilerChoice
from sq_micro.workspace import Workspace

Asked = ParamSpec("Asked")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A finished run: its result, and the folder with the image, the sources and everything between."""

    folder: Path
    result: Result

    @property
    def elf(self) -> Path:
        """The firmware image (on the host board: the program)."""
        return self.folder / "firmware.elf"

    @property
    def sources(self) -> Path:
        """The generated C, a CMake project."""
        return self.folder / "model"

    def export(self, file: str | Path, form: ExportFormat = "tflite") -> ExportRecord:
        """See `api.export`."""
        return export(file, form, out=self.folder)

    def package(self, kind: PackageKind, folder: str | Path, portable: bool = False) -> PackageRecord:
        """See `api.package`."""
        return package(kind, folder, portable=portable, out=self.folder)

    def _repr_html_(self) -> str:
        return result_table(self.result)


def deploy_request(
    model: Model,
    board: str,
    *,
    calibrate: Samples | None = None,
    evaluate: Samples | None = None,
    out: str | Path = DEFAULT_OUT,
    weight_bits: WeightBits | None = None,
    activation_bits: Sequence[str] | None = None,
    flash: str | None = None,
    sram: str | None = None,
    latency: str | None = None,
    energy: str | None = None,
    weight_bytes: str | None = None,
    max_drop: float | None = None,
    allocator: Allocator = "ilp",
    kernels: KernelsChoice = "auto",
    pins: Mapping[str, int] | None = None,
    observer: ObserverName = "mse",
    rounding: RoundingMethod = "feedback",
    weight_scales: WeightScales = "mse",
    samples: int = GOLDEN_SAMPLES,
    train: Samples | None = None,
    epochs: int | None = None,
    learning_rate: float | None = None,
    int4: bool = False,
    equalise: bool = False,
    compiler: CompilerChoice = "auto",
    link: str | None = None,
    runs: int = 100,
    workers: int | None = None,
    dask: str | None = None,
    keep: bool = True,
) -> pipeline.DeployRequest:
    """What `deploy` is asked, checked as far as it can be without reading the model. Raises UsageError.

    calibrate      samples to find activation ranges and rounding by; not needed for int8 .tflite models
    evaluate       samples to find accuracy by, and golden inputs
    weight_bits    8 unless budgets choose them
    activation_bits   of operators' outputs in SRAM, as ["conv2d_1=4"]; ["4"] is all that can have 4
    flash … weight_bytes, energy, latency   budgets with a unit, as "48KiB", "20ms", "2mJ"
    max_drop       percentage points of accuracy
    kernels        of all operators; auto: the fastest, unless a budget for flash binds
    pins           widths that budgets must not change
    samples        golden inputs, run on TFLite Micro and on the board
    train          samples to fine-tune on
    int4           4-bit weights are to be such as TFLite's int4 holds, for `export`
    equalise       balance channels of neighbouring layers by the calibration samples first
    """
    folder = Path(out)
    calibration = samples_file(calibrate, folder, "calibrate")
    evaluation = samples_file(evaluate, folder, "evaluate")
    bits = None if weight_bits is None else bits_text(weight_bits, folder)
    quantization = QuantizeOptions(
        calibration,
        evaluation,
        bits or "8",
        observer,
        rounding,
        weight_scales,
        samples,
        samples_file(train, folder, "train"),
        epochs,
        learning_rate,
        int4,
        tuple(activation_bits or ()),
    )
    budget, assign_request = budget_of(flash, sram, latency, energy, weight_bytes), None
    pinned = [f"{name}={width}" for name, width in (pins or {}).items()]
    if asked_to_assign(budget, max_drop, allocator, bits, pinned, activation_bits):
        assign_request = assign_stage.AssignRequest(
            needed_samples(calibration),
            board,
            budget,
            max_drop,
            allocator,
            pins or {},
            observer,
            rounding,
            compiler,
            kernels,
            workers=workers,
            dask=dask,
            keep=keep,
        )
        require_measurable(assign_request, evaluation)
    file = model_file(model, folder)
    return pipeline.DeployRequest(
        file, board, quantization, folder, compiler, link, runs, assign_request, equalise, kernels
    )


def carry_out(
    request: pipeline.DeployRequest, notify: Notify = silent, done: pipeline.StageDone = pipeline.unseen
) -> Deployment:
    """Do what was asked. `notify` is told (task, done, total) while work goes on, `done` each record as its stage ends.

    Raises BudgetError iff budgets were stated and nothing meets them, GoldenMismatchError iff an output is wrong.
    """
    return Deployment(request.out, pipeline.deploy(request, notify, done))


def _carried_out(ask: Callable[Asked, pipeline.DeployRequest]) -> Callable[Asked, Deployment]:
    @wraps(ask)
    def run(*arguments: Asked.args, **options: Asked.kwargs) -> Deployment:
        return carry_out(ask(*arguments, **options))

    return run


deploy = _carried_out(deploy_request)
"""All stages: analyze, assign (where there is a budget), quantize, generate, build, measure.

Arguments are those of `deploy_request`, errors its own and those of `carry_out`.
"""


def analyze(model: Model, *, out: str | Path = DEFAULT_OUT, equalise_by: Samples | None = None) -> AnalyzeRecord:
    """Read a model and bring it into canonical form; `equalise_by` are samples to balance neighbouring layers by."""
    workspace = Workspace(Path(out))
    workspace.open()
    samples = samples_file(equalise_by, workspace.folder, "equalise")
    return analyze_stage.analyze(workspace, model_file(model, workspace.folder), samples)


def assign(
    request: assign_stage.AssignRequest,
    *,
    out: str | Path = DEFAULT_OUT,
    plot: bool = False,
    notify: Notify = silent,
) -> AssignRecord:
    """Choose bits for the analyzed model under budgets; the plan is `bits.json` in the folder. `plot` draws it too."""
    return assign_stage.assign_bits(Workspace(Path(out)), request, notify, plot)


def quantize(
    *,
    calibrate: Samples | None = None,
    evaluate: Samples | None = None,
    weight_bits: WeightBits = 8,
    activation_bits: Sequence[str] | None = None,
    out: str | Path = DEFAULT_OUT,
    observer: ObserverName = "mse",
    rounding: RoundingMethod = "feedback",
    weight_scales: WeightScales = "mse",
    samples: int = GOLDEN_SAMPLES,
    train: Samples | None = None,
    epochs: int | None = None,
    learning_rate: float | None = None,
    int4: bool = False,
    notify: Notify = silent,
) -> QuantizeRecord:
    """Quantize the analyzed model and hold the integers against TFLite Micro; arguments as of `deploy_request`."""
    folder = Path(out)
    wanted = QuantizeOptions(
        samples_file(calibrate, folder, "calibrate"),
        samples_file(evaluate, folder, "evaluate"),
        bits_text(weight_bits, folder),
        observer,
        rounding,
        weight_scales,
        samples,
        samples_file(train, folder, "train"),
        epochs,
        learning_rate,
        int4,
        tuple(activation_bits or ()),
    )
    return quantize_stage.quantize(Workspace(folder), wanted, notify)


def generate(board: str, *, out: str | Path = DEFAULT_OUT, kernels: KernelsChoice = "auto") -> GenerateRecord:
    """Plan the arena and write the C of the quantized model, for a board id or a board file; see `generate_stage`."""
    return generate_stage.generate(Workspace(Path(out)), board, kernels)


def build(
    *, out: str | Path = DEFAULT_OUT, compiler: CompilerChoice = "auto", bake: int = 0, edge: str | None = None
) -> BuiltRecord:
    """Compile and link the firmware image, with `bake` golden inputs in it; `edge` is a pin for the timed region."""
    return build_stage.build(Workspace(Path(out)), compiler, bake, edge)


def measure(
    *,
    out: str | Path = DEFAULT_OUT,
    link: str | None = None,
    runs: int = 100,
    port: str | None = None,
    renode: str | None = None,
    warm_up: int = 1,
    accuracy: Samples | None = None,
    accuracy_margin: float = 1.0,
    notify: Notify = silent,
) -> Deployment:
    """Run the image over a link, verify every output, write the result; arguments as of `MeasureOptions`."""
    labelled = samples_file(accuracy, Path(out), "accuracy")
    options = measure_stage.MeasureOptions(link, runs, port, renode, warm_up, labelled, accuracy_margin)
    return Deployment(Path(out), measure_stage.measure(Workspace(Path(out)), options, notify))


def export(file: str | Path, form: ExportFormat = "tflite", *, out: str | Path = DEFAULT_OUT) -> ExportRecord:
    """Write the quantized network as a .tflite for stock TFLite Micro; `tflite-compact` has int4 where that runs it."""
    return export_stage.export(Workspace(Path(out)), form, Path(file))


def package(
    kind: PackageKind,
    folder: str | Path,
    *,
    version: str = DEFAULT_VERSION,
    homepage: str = PLACEHOLDER_HOMEPAGE,
    portable: bool = False,
    out: str | Path = DEFAULT_OUT,
) -> PackageRecord:
    """Wrap the generated C as a library; `portable` takes kernels that every core has, not the board's own."""
    return package_stage.package(Workspace(Path(out)), kind, Path(folder), version, homepage, portable)


def reproduce(
    lock: str | Path, *, out: str | Path, inputs: str | Path | None = None, notify: Notify = silent
) -> Reproduction:
    """Build a locked run again in the folder `out`, and compare; `inputs` is where model and samples lie now."""
    return reproduce_stage.reproduce(Path(lock), Path(out), None if inputs is None else Path(inputs), notify)
