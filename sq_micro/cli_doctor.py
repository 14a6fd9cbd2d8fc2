"""`sq-micro doctor`: what is missing, and an archive for whoever is asked for help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import errors_as_exit_codes
from sq_micro.errors import ToolchainError

Board = Annotated[
    str | None,
    typer.Option("--board", "-b", help="look at what this board needs", autocompletion=options.complete_board),
]
BundleFile = Annotated[
    Path | None,
    typer.Option("--bundle", help="zip to write: versions, records and logs of OUT; no weights, names, home folders"),
]


def doctor(
    board: Board = None,
    bundle: BundleFile = None,
    out: options.Out = options.DEFAULT_OUT,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Say which tools this machine has, for all boards or for one, and which command installs the missing ones."""
    with errors_as_exit_codes(debug):
        from sq_micro.board import load_board
        from sq_micro.doctor.bundle import write_bundle
        from sq_micro.doctor.findings import print_findings
        from sq_micro.doctor.for_board import examine_board
        from sq_micro.doctor.machine import examine

        findings = examine() if board is None else examine_board(load_board(board))
        if json:
            print(findings.model_dump_json(indent=2))
        else:
            print_findings(findings)
        if bundle is not None:
            packed = write_bundle(bundle, findings, out)
            if not json:
                print(packed)
        if not findings.ready:
            raise SystemExit(ToolchainError.exit_code)
