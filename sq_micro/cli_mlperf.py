"""`sq-micro mlperf`: an image for the MLPerf Tiny runner, and simulated devices within its reach."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import errors_as_exit_codes

mlperf_app = typer.Typer(
    name="mlperf",
    help="Speak with the MLPerf Tiny runner: compatible with it; results count only once submitted and reviewed.",
    rich_markup_mode=None,
)
mlperf_app.callback(invoke_without_command=True)(options.help_without_command)


class BenchmarkName(StrEnum):
    """See `stages.mlperf`."""

    KWS01 = "kws01"
    IC01 = "ic01"
    VWW01 = "vww01"


class ModeName(StrEnum):
    """As the runner calls them."""

    PERFORMANCE = "p"
    ACCURACY = "a"


Benchmark = Annotated[BenchmarkName, typer.Option("--benchmark", help="what the model stands for")]
Baud = Annotated[int | None, typer.Option("--baud", help="[default: the board's; 9600 with --energy-pin]")]
EnergyPin = Annotated[
    str | None,
    typer.Option("--energy-pin", help="pin whose falling edge tells the time in energy mode, as PC7, P1.02 or GPIO5"),
]
Tcp = Annotated[int | None, typer.Option("--tcp", help="serve this TCP port, 0 for any  [default: a pseudo-terminal]")]
Runner = Annotated[Path, typer.Option("--runner", help="benchmark/runner of a checkout of mlcommons/tiny")]
Python = Annotated[
    str | None, typer.Option("--python", help="one with the packages of the runner  [default: this one]")
]


@mlperf_app.command()
def prepare(
    benchmark: Benchmark,
    out: options.Out = options.DEFAULT_OUT,
    evaluate: options.Evaluate = None,
    compiler: options.CompilerOption = options.CompilerName.AUTO,
    baud: Baud = None,
    energy_pin: EnergyPin = None,
    debug: options.Debug = False,
) -> None:
    """Build OUT/mlperf/firmware.elf, and write the runner's device, test and data files beside it."""
    with errors_as_exit_codes(debug):
        from sq_micro.stages.mlperf import MlperfRequest
        from sq_micro.stages.mlperf import prepare as run_stage
        from sq_micro.workspace import Workspace

        request = MlperfRequest(benchmark.value, evaluate, compiler.value, baud, energy_pin)
        print(run_stage(Workspace(out), request))


@mlperf_app.command()
def serve(
    out: options.Out = options.DEFAULT_OUT,
    link: options.Link = None,
    renode: options.Renode = None,
    tcp: Tcp = None,
    debug: options.Debug = False,
) -> None:
    """Offer the prepared image on a simulated device as a serial port, until interrupted."""
    with errors_as_exit_codes(debug):
        from sq_micro.measure.mlperf.bridge import Bridge, PtyEndpoint, TcpEndpoint
        from sq_micro.stages.mlperf import link_to
        from sq_micro.workspace import Workspace

        device = link_to(Workspace(out), link, renode)
        with Bridge(device, PtyEndpoint() if tcp is None else TcpEndpoint(tcp)) as bridge:
            print(bridge.address, flush=True)
            bridge.wait()


@mlperf_app.command()
def run(
    runner: Runner,
    mode: Annotated[ModeName, typer.Option("--mode", help="performance or accuracy")],
    out: options.Out = options.DEFAULT_OUT,
    link: options.Link = None,
    renode: options.Renode = None,
    python: Python = None,
    debug: options.Debug = False,
) -> None:
    """Start the official runner on the prepared image and a simulated device."""
    with errors_as_exit_codes(debug):
        from sq_micro.measure.mlperf.bridge import Bridge, PtyEndpoint
        from sq_micro.measure.mlperf.official import run_official
        from sq_micro.stages.mlperf import FOLDER, link_to
        from sq_micro.workspace import Workspace

        workspace = Workspace(out)
        with Bridge(link_to(workspace, link, renode), PtyEndpoint()) as bridge:
            folder = (workspace / FOLDER).resolve()
            code = run_official(runner, folder, bridge.address, mode.value, python)
        if code:
            raise SystemExit(code)
