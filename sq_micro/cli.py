"""`sq-micro`: the command line, a thin skin over the pipeline. Exit codes are those of `errors.py`."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer
from pydantic import BaseModel

from sq_micro import __version__
from sq_micro import cli_options as options
from sq_micro.cli_boards import boards_app
from sq_micro.cli_compare import compare_allocators
from sq_micro.cli_device import flash, ports
from sq_micro.cli_doctor import doctor
from sq_micro.cli_finetune import finetune
from sq_micro.cli_handover import export, package, reproduce
from sq_micro.cli_mlperf import mlperf_app
from sq_micro.cli_project import init
from sq_micro.cli_project import run as run_project
from sq_micro.cli_report import compare, diff, report
from sq_micro.cli_sweep import sweep
from sq_micro.console import INTERRUPTED, USAGE_ERROR, StageDisplay, errors_as_exit_codes, print_error, show_result

# Commands import the pipeline when they run: help and shell completion must not wait for NumPy.

app = typer.Typer(
    name="sq-micro",
    help="From a trained Keras or TFLite model to a measured firmware image, every layer at its own bitwidth.",
    epilog="Exit codes: 0 ok, 2 usage, 3 does not fit, 4 unsupported model, 5 tool missing, 6 link,"
    " 7 verification mismatch, 1 internal error, 130 interrupted.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


# Typer's parse errors share a base class that it does not export; BadParameter is one of them.
_PARSE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: options.Version = False) -> None:
    if version:
        print(f"sq-micro {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())
    else:
        return
    raise typer.Exit


@app.command()
def deploy(
    model: options.Model,
    board: options.BoardName,
    calibrate: options.CalibrateIfFloat = None,
    out: options.Out = options.DEFAULT_OUT,
    evaluate: options.Evaluate = None,
    weight_bits: options.WeightBits = None,
    activation_bits: options.ActivationBits = None,
    flash: options.Flash = None,
    sram: options.Sram = None,
    latency: options.Latency = None,
    energy: options.Energy = None,
    weight_bytes: options.WeightBytes = None,
    max_drop: options.MaxDrop = None,
    allocator: options.AllocatorOption = options.AllocatorName.ILP,
    kernels: options.Kernels = options.KernelsName.AUTO,
    pin: options.Pin = None,
    observer: options.ObserverOption = options.Observer.MSE,
    rounding: options.RoundingOption = options.Rounding.FEEDBACK,
    weight_scales: options.ScalesOption = options.WeightScales.MSE,
    samples: options.SamplesOption = 100,
    train: options.Train = None,
    epochs: options.Epochs = None,
    learning_rate: options.LearningRate = None,
    int4: options.Int4 = False,
    equalise: options.Equalise = False,
    compiler: options.CompilerOption = options.CompilerName.AUTO,
    link: options.Link = None,
    runs: options.Runs = 100,
    workers: options.Workers = None,
    dask: options.Dask = None,
    no_cache: options.NoCache = False,
    json: options.Json = False,
    dry_run: options.DryRun = False,
    debug: options.Debug = False,
) -> None:
    """Do all stages: analyze, assign (where there is a budget), quantize, generate, build, measure."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api, pipeline
        from sq_micro.budget_request import pins_of

        request = api.deploy_request(
            model,
            board,
            calibrate=calibrate,
            evaluate=evaluate,
            out=out,
            weight_bits=weight_bits,
            activation_bits=activation_bits,
            flash=flash,
            sram=sram,
            latency=latency,
            energy=energy,
            weight_bytes=weight_bytes,
            max_drop=max_drop,
            allocator=allocator.value,
            kernels=kernels.value,
            pins=pins_of(pin),
            observer=observer.value,
            rounding=rounding.value,
            weight_scales=weight_scales.value,
            samples=samples,
            train=train,
            epochs=epochs,
            learning_rate=learning_rate,
            int4=int4,
            equalise=equalise,
            compiler=compiler.value,
            link=link,
            runs=runs,
            workers=workers,
            dask=dask,
            keep=not no_cache,
        )
        if dry_run:
            _print(pipeline.preview(request), json)
            return
        result = api.carry_out(request, display.notify, display.done).result
    show_result(result, json, out)


@app.command()
def assign(
    model: options.Model,
    board: options.BoardName,
    calibrate: options.Calibrate,
    out: options.Out = options.DEFAULT_OUT,
    flash: options.Flash = None,
    sram: options.Sram = None,
    latency: options.Latency = None,
    energy: options.Energy = None,
    weight_bytes: options.WeightBytes = None,
    max_drop: options.MaxDrop = None,
    allocator: options.AllocatorOption = options.AllocatorName.ILP,
    kernels: options.Kernels = options.KernelsName.AUTO,
    pin: options.Pin = None,
    observer: options.ObserverOption = options.Observer.MSE,
    rounding: options.RoundingOption = options.Rounding.FEEDBACK,
    compiler: options.CompilerOption = options.CompilerName.AUTO,
    equalise: options.Equalise = False,
    pairwise: options.Pairwise = False,
    plot: options.Plot = False,
    workers: options.Workers = None,
    dask: options.Dask = None,
    no_cache: options.NoCache = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Only search: the bits under budgets, written as OUT/bits.json, with the reasons."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api
        from sq_micro.budget_request import budget_of, pins_of
        from sq_micro.stages.assign import AssignRequest
        from sq_micro.workspace import Workspace

        workspace = Workspace(out)
        request = AssignRequest(
            calibrate,
            board,
            budget_of(flash, sram, latency, energy, weight_bytes),
            max_drop,
            allocator.value,
            pins_of(pin),
            observer.value,
            rounding.value,
            compiler.value,
            kernels.value,
            pairwise=pairwise,
            workers=workers,
            dask=dask,
            keep=not no_cache,
        )
        display.done("analyze", api.analyze(model, out=out, equalise_by=calibrate if equalise else None))
        record = api.assign(request, out=out, plot=plot, notify=display.notify)
    if not json:
        print((workspace / "05_assignment.txt").read_text(encoding="utf-8"), end="")
    else:
        _print(record, json)


@app.command()
def analyze(
    model: options.Model,
    out: options.Out = options.DEFAULT_OUT,
    equalise_by: options.EqualiseBy = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Read a model and bring it into canonical form."""
    with errors_as_exit_codes(debug):
        from sq_micro import api

        _print(api.analyze(model, out=out, equalise_by=equalise_by), json)


@app.command()
def quantize(
    calibrate: options.CalibrateIfFloat = None,
    out: options.Out = options.DEFAULT_OUT,
    evaluate: options.Evaluate = None,
    weight_bits: options.WeightBits = None,
    activation_bits: options.ActivationBits = None,
    observer: options.ObserverOption = options.Observer.MSE,
    rounding: options.RoundingOption = options.Rounding.FEEDBACK,
    weight_scales: options.ScalesOption = options.WeightScales.MSE,
    samples: options.SamplesOption = 100,
    train: options.Train = None,
    epochs: options.Epochs = None,
    learning_rate: options.LearningRate = None,
    int4: options.Int4 = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Quantize the analyzed model and verify the integers against TFLite Micro."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api

        record = api.quantize(
            calibrate=calibrate,
            evaluate=evaluate,
            weight_bits=weight_bits or 8,
            activation_bits=activation_bits,
            out=out,
            observer=observer.value,
            rounding=rounding.value,
            weight_scales=weight_scales.value,
            samples=samples,
            train=train,
            epochs=epochs,
            learning_rate=learning_rate,
            int4=int4,
            notify=display.notify,
        )
    _print(record, json)


@app.command()
def generate(
    board: options.BoardName,
    out: options.Out = options.DEFAULT_OUT,
    kernels: options.Kernels = options.KernelsName.AUTO,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Plan the arena and write the C of the quantized model."""
    with errors_as_exit_codes(debug):
        from sq_micro import api

        _print(api.generate(board, out=out, kernels=kernels.value), json)


@app.command()
def build(
    out: options.Out = options.DEFAULT_OUT,
    compiler: options.CompilerOption = options.CompilerName.AUTO,
    bake: options.Bake = 0,
    edge_pin: options.EdgePin = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compile and link the firmware image."""
    with errors_as_exit_codes(debug):
        from sq_micro import api

        _print(api.build(out=out, compiler=compiler.value, bake=bake, edge=edge_pin), json)


@app.command()
def measure(
    out: options.Out = options.DEFAULT_OUT,
    link: options.Link = None,
    port: options.Port = None,
    renode: options.Renode = None,
    flash_first: options.FlashFirst = False,
    runs: options.Runs = 100,
    warm_up: options.WarmUp = 1,
    accuracy: options.DeviceAccuracy = None,
    accuracy_margin: options.AccuracyMargin = 1.0,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Run the image, verify its outputs, write result.json."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api
        from sq_micro.stages.flash import flash_image
        from sq_micro.workspace import Workspace

        if flash_first:
            display.say("flash", str(flash_image(Workspace(out), port=port)))
        run = api.measure(
            out=out,
            link=link,
            runs=runs,
            port=port,
            renode=renode,
            warm_up=warm_up,
            accuracy=accuracy,
            accuracy_margin=accuracy_margin,
            notify=display.notify,
        )
    show_result(run.result, json, out)


# Help lists the commands in the order in which they are told of.
app.command("doctor")(doctor)
app.command("report")(report)
app.command("compare")(compare)
app.command("diff")(diff)
app.command("init")(init)
app.command("run")(run_project)
app.command("compare-allocators")(compare_allocators)
app.command("finetune")(finetune)
app.command("sweep")(sweep)
app.command("export")(export)
app.command("package")(package)
app.command("reproduce")(reproduce)
app.command("ports")(ports)
app.command("flash")(flash)
app.add_typer(boards_app, name="boards")
app.add_typer(mlperf_app, name="mlperf")


def _print(record: BaseModel, json: bool) -> None:
    print(record.model_dump_json(indent=2, by_alias=True) if json else record)


def _parse_message(error: Exception) -> str:
    return str(error.format_message()) if hasattr(error, "format_message") else str(error)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of `sq-micro`."""
    signal.signal(signal.SIGTERM, _interrupt)  # a supervisor's stop must also leave nothing half-written
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except _PARSE_ERROR as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "sq-micro"
        print_error(f"{_parse_message(error)} (see `{command} --help`)")
        raise SystemExit(USAGE_ERROR) from None
    except KeyboardInterrupt:
        print_error("interrupted")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:  # the reader has seen enough
        _abandon_stdout()
        raise SystemExit(0) from None
    except OSError as error:
        _abandon_stdout()
        print_error(f"stdout: {error.strerror}")
        raise SystemExit(USAGE_ERROR) from None
    raise SystemExit(code if isinstance(code, int) else 0)


def _abandon_stdout() -> None:
    """Python flushes stdout once more at its end; there must be something that takes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
