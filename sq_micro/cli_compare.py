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
        from sq_micro import api
        from sq_micro.assign.problem import ALLOCATORS
        from sq_micro.budget_request import pins_of, shares_of

        found = api.compare_allocators(
            model,
            calibrate=calibrate,
            board=board,
            evaluate=evaluate,
            shares=shares_of(at),
            allocators=[name.value for name in allocator] if allocator else ALLOCATORS,
            pins=pins_of(pin),
            observer=observer.value,
            rounding=rounding.value,
            pairwise=pairwise,
            workers=workers,
            dask=dask,
            keep=not no_cache,
            out=out,
            notify=display.notify,
        )
    if json:
        print(found.model_dump_json(indent=2))
        return
    from rich.console import Console

    from sq_micro.report.comparison import print_comparison
    from sq_micro.stages.compare import compared_rows

    print_comparison(found.title, compared_rows(found), Console())
    print(f"plots: {out / 'allocators.svg'}, {out / 'bits.svg'}   table: {out / 'allocators.csv'}")
