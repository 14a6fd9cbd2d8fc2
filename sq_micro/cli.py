"""`sq-micro`: the command line, a thin skin over the pipeline. Exit codes are those of `errors.py`."""

from __future__ import annotations

import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from pydantic import BaseModel

from sq_micro import __version__
from sq_micro.board import board_ids
from sq_micro.cli_boards import boards_app
from sq_micro.console import INTERRUPTED, USAGE_ERROR, StageDisplay, errors_as_exit_codes, print_error

# Commands import the pipeline when they run: help and shell completion must not wait for NumPy.

app = typer.Typer(
    name="sq-micro",
    help="From a trained Keras model to a measured firmware image, every layer at its own bitwidth.",
    epilog="Exit codes: 0 ok, 2 usage, 3 does not fit, 4 unsupported model, 5 tool missing, 6 link,"
    " 7 verification mismatch, 1 internal error, 130 interrupted.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(boards_app, name="boards")


# Typer's parse errors share a base class that it does not export; BadParameter is one of them.
_PARSE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]


_PIPED_WIDTH = 120  # columns, where no terminal says how many it has


class Observer(StrEnum):
    """See `quant.observers`."""

    MSE = "mse"
    MINMAX = "minmax"
    PERCENTILE = "percentile"


class WeightScales(StrEnum):
    """See `quant.weights`."""

    MSE = "mse"
    MINMAX = "minmax"


class CompilerName(StrEnum):
    """See `toolchain.compiler`."""

    AUTO = "auto"
    GCC = "gcc"
    ZIG = "zig"


def _boards(incomplete: str) -> list[str]:
    return [board for board in board_ids() if board.startswith(incomplete)]


Model = Annotated[Path, typer.Argument(help="trained model: .keras, or Keras 2 .h5", show_default=False)]
Out = Annotated[Path, typer.Option("--out", "-o", help="folder of the run's artefacts")]
BoardName = Annotated[str, typer.Option("--board", "-b", help="board id, or a .toml file", autocompletion=_boards)]
Calibrate = Annotated[Path, typer.Option("--calibrate", help=".npz with x: samples to find activation ranges from")]
Evaluate = Annotated[Path | None, typer.Option("--evaluate", help=".npz with x and y: samples to find accuracy from")]
WeightBits = Annotated[str, typer.Option("--weight-bits", help="8, 6, 5, 4, 3 or 2; or a plan file (bits.json)")]
ObserverOption = Annotated[Observer, typer.Option("--observer", help="how activation ranges are chosen")]
ScalesOption = Annotated[WeightScales, typer.Option("--weight-scales", help="how weight scales are chosen")]
SamplesOption = Annotated[
    int, typer.Option("--samples", min=1, help="golden inputs, run on TFLite Micro and the board")
]
CompilerOption = Annotated[CompilerName, typer.Option("--compiler", help="auto: arm-none-eabi-gcc if found, else zig")]
Link = Annotated[str | None, typer.Option("--link", help="simulator, qemu or host  [default: the board's first]")]
Runs = Annotated[int, typer.Option("--runs", min=1, help="timed inferences")]
Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout, nothing else")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="check everything, say what would be done, write nothing")]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an error")]
Version = Annotated[bool, typer.Option("--version", help="print the version")]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: Version = False) -> None:
    if version:
        print(f"sq-micro {__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())
    else:
        return
    raise typer.Exit


@app.command()
def deploy(
    model: Model,
    board: BoardName,
    calibrate: Calibrate,
    out: Out = Path("out/deploy"),
    evaluate: Evaluate = None,
    weight_bits: WeightBits = "8",
    observer: ObserverOption = Observer.MSE,
    weight_scales: ScalesOption = WeightScales.MSE,
    samples: SamplesOption = 100,
    compiler: CompilerOption = CompilerName.AUTO,
    link: Link = None,
    runs: Runs = 100,
    json: Json = False,
    dry_run: DryRun = False,
    debug: Debug = False,
) -> None:
    """Do all stages: analyze, quantize, generate, build, measure."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import pipeline
        from sq_micro.stages.quantize import QuantizeOptions

        options = QuantizeOptions(calibrate, evaluate, weight_bits, observer.value, weight_scales.value, samples)
        request = pipeline.DeployRequest(model, board, options, out, compiler.value, link, runs)
        if dry_run:
            _print(pipeline.preview(request), json)
            return
        result = pipeline.deploy(request, display.notify, display.done)
    _print_result(result, json, out)


@app.command()
def analyze(model: Model, out: Out = Path("out/deploy"), json: Json = False, debug: Debug = False) -> None:
    """Read a Keras model and bring it into canonical form."""
    with errors_as_exit_codes(debug):
        from sq_micro.stages.analyze import analyze as run_stage
        from sq_micro.workspace import Workspace

        workspace = Workspace(out)
        workspace.open()
        _print(run_stage(workspace, model), json)


@app.command()
def quantize(
    calibrate: Calibrate,
    out: Out = Path("out/deploy"),
    evaluate: Evaluate = None,
    weight_bits: WeightBits = "8",
    observer: ObserverOption = Observer.MSE,
    weight_scales: ScalesOption = WeightScales.MSE,
    samples: SamplesOption = 100,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Quantize the analyzed model and verify the integers against TFLite Micro."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro.stages.quantize import QuantizeOptions
        from sq_micro.stages.quantize import quantize as run_stage
        from sq_micro.workspace import Workspace

        options = QuantizeOptions(calibrate, evaluate, weight_bits, observer.value, weight_scales.value, samples)
        record = run_stage(Workspace(out), options, display.notify)
    _print(record, json)


@app.command()
def generate(board: BoardName, out: Out = Path("out/deploy"), json: Json = False, debug: Debug = False) -> None:
    """Plan the arena and write the C of the quantized model."""
    with errors_as_exit_codes(debug):
        from sq_micro.stages.generate import generate as run_stage
        from sq_micro.workspace import Workspace

        _print(run_stage(Workspace(out), board), json)


@app.command()
def build(
    out: Out = Path("out/deploy"),
    compiler: CompilerOption = CompilerName.AUTO,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compile and link the firmware image."""
    with errors_as_exit_codes(debug):
        from sq_micro.stages.build import build as run_stage
        from sq_micro.workspace import Workspace

        _print(run_stage(Workspace(out), compiler.value), json)


@app.command()
def measure(
    out: Out = Path("out/deploy"),
    link: Link = None,
    runs: Runs = 100,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Run the image, verify its outputs, write result.json."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro.stages.measure import measure as run_stage
        from sq_micro.workspace import Workspace

        result = run_stage(Workspace(out), link, runs, display.notify)
    _print_result(result, json, out)


@app.command()
def doctor(json: Json = False, debug: Debug = False) -> None:
    """Say which tools and packages this machine has, and what the missing ones are for."""
    with errors_as_exit_codes(debug):
        from sq_micro.doctor import examine, print_findings

        findings = examine()
        if json:
            print(findings.model_dump_json(indent=2))
        else:
            print_findings(findings)
        if not findings.ready:
            raise SystemExit(5)


def _print(record: BaseModel, json: bool) -> None:
    print(record.model_dump_json(indent=2, by_alias=True) if json else record)


def _print_result(result: BaseModel, json: bool, out: Path) -> None:
    from rich.console import Console

    from sq_micro.report.result import Result
    from sq_micro.report.terminal import print_result

    assert isinstance(result, Result)
    if json:
        print(result.to_json(), end="")
        return
    console = Console()
    print_result(result, console if console.is_terminal else Console(width=_PIPED_WIDTH))
    print(f"result: {out / 'result.json'}   image: {out / 'firmware.elf'}   sources: {out / 'model'}")


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
