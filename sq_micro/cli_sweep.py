"""`sq-micro sweep`: which board does it fit?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import StageDisplay, errors_as_exit_codes

if TYPE_CHECKING:
    from sq_micro.stages.sweep import Sweep

Boards = Annotated[str | None, typer.Option("--boards", help="ids, separated by commas  [default: all with memories]")]
Flashes = Annotated[str, typer.Option("--flash", help="budgets, separated by commas, as 24KiB,32KiB,48KiB")]


def sweep(
    model: options.Model,
    calibrate: options.Calibrate,
    flash: Flashes,
    boards: Boards = None,
    out: options.Out = options.DEFAULT_OUT,
    sram: options.Sram = None,
    latency: options.Latency = None,
    energy: options.Energy = None,
    allocator: options.AllocatorOption = options.AllocatorName.ILP,
    kernels: options.Kernels = options.KernelsName.AUTO,
    observer: options.ObserverOption = options.Observer.MSE,
    compiler: options.CompilerOption = options.CompilerName.AUTO,
    workers: options.Workers = None,
    dask: options.Dask = None,
    no_cache: options.NoCache = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Boards times budgets: what each would give, as a sheet."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api

        found = api.sweep(
            model,
            flash.split(","),
            calibrate=calibrate,
            boards=boards.split(",") if boards else None,
            sram=sram,
            latency=latency,
            energy=energy,
            allocator=allocator.value,
            observer=observer.value,
            compiler=compiler.value,
            kernels=kernels.value,
            workers=workers,
            dask=dask,
            keep=not no_cache,
            out=out,
            notify=display.notify,
        )
    if json:
        print(found.model_dump_json(indent=2))
        return
    print_sweep(found)
    print(f"sheet: {out / 'sweep.csv'}")


def print_sweep(found: Sweep) -> None:
    """The same as a table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=f"{found.model}: boards and budgets", title_justify="left", padding=0)
    for column in ("board", "budget", "fits"):
        table.add_column(column)
    for column in ("flash", "SRAM", "latency", "energy", "expected drop"):
        table.add_column(column, justify="right")
    table.add_column("bits by operator")
    for point in found.points:
        table.add_row(
            point.board,
            point.budget,
            "yes" if point.fits else "no",
            f"{point.flash_bytes:,.0f} B",
            "" if point.sram_bytes is None else f"{point.sram_bytes:,.0f} B",
            "" if point.latency_s is None else f"{point.latency_s * 1e3:,.1f} ms",
            "" if point.energy_j is None else f"{point.energy_j * 1e3:,.2f} mJ",
            "" if point.expected_drop_points is None else f"{point.expected_drop_points:.2f}",
            " ".join(map(str, point.bits.values())) + (", 4-bit outputs" if point.activations else ""),
        )
    Console().print(table)
