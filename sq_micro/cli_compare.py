"""`sq-micro compare-allocators`."""

from __future__ import annotations

from typing import Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import StageDisplay, errors_as_exit_codes

Shares = Annotated[str, typer.Option("--at", help="shares of the int8 weight bytes in percent")]
Only = Annotated[list[options.AllocatorName] | None, typer.Option("--allocator", help="repeatable  [default: all]")]


def compare_allocators(
    model: options.Model,
    calibrate: options.Calibrate,
    board: options.BoardName = "nucleo_l4r5zi",
    out: options.Out = options.DEFAULT_OUT,
    evaluate: options.Evaluate = None,
    at: Shares = "28,37.5,50,62.5",
    allocator: Only = None,
    pin: options.Pin = None,
    observer: options.ObserverOption = options.Observer.MSE,
    rounding: options.RoundingOption = options.Rounding.FEEDBACK,
    pairwise: options.Pairwise = False,
    workers: options.Workers = None,
    dask: options.Dask = None,
    no_cache: options.NoCache = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """All allocators at equal bytes of packed weights: table, CSV and plot in OUT."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from rich.console import Console

        from sq_micro.budget_request import pins_of, shares_of
        from sq_micro.cost.budget import Budget
        from sq_micro.paths import write_atomically
        from sq_micro.report.bits_plot import PlannedBits, plot_bits
        from sq_micro.report.comparison import ComparedRow, comparison_csv, plot_comparison, print_comparison
        from sq_micro.stages import compare
        from sq_micro.stages.analyze import read_model
        from sq_micro.stages.assign import AssignRequest, worker_pool
        from sq_micro.stages.quantize import QuantizeOptions, read_samples
        from sq_micro.workspace import Workspace

        workspace = Workspace(out)
        request = AssignRequest(
            calibrate,
            board,
            Budget(),
            pins=pins_of(pin),
            observer=observer.value,
            rounding=rounding.value,
            pairwise=pairwise,
            workers=workers,
            dask=dask,
            keep=not no_cache,
        )
        wanted = compare.CompareRequest(shares_of(at))
        if allocator:
            wanted = compare.CompareRequest(shares_of(at), tuple(name.value for name in allocator))
        workspace.open()
        _, graph, _ = read_model(model)
        samples = read_samples(graph, QuantizeOptions(calibrate, evaluate, "8"))
        assert samples.calibration is not None
        with worker_pool(request) as mapper:
            found = compare.compare_allocators(
                graph, samples.calibration, samples.evaluation, request, wanted, mapper, display.notify
            )
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
        title = f"{found.model}: allocators at equal weight bytes (int8: {found.int8_weight_bytes:,} B)"
        write_atomically(workspace / "allocators.json", found.model_dump_json(indent=1) + "\n")
        write_atomically(workspace / "allocators.csv", comparison_csv(rows))
        plot_comparison(title, rows, found.float_accuracy, workspace / "allocators.svg")
        planned = [PlannedBits(f"{row.share:.1%} {row.allocator}", row.bits) for row in rows]
        plot_bits(f"{found.model}: bits by operator", list(found.plans[0].bits), planned, workspace / "bits.svg")
    if json:
        print(found.model_dump_json(indent=2))
    else:
        print_comparison(title, rows, Console())
        print(
            f"plots: {workspace / 'allocators.svg'}, {workspace / 'bits.svg'}   table: {workspace / 'allocators.csv'}"
        )
