"""`sq-micro ports` and `sq-micro flash`: the boards on the desk."""

from __future__ import annotations

import json as json_text
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import errors_as_exit_codes

NoAsk = Annotated[bool, typer.Option("--no-ask", help="do not open the ports: go by their USB ids alone")]
Tool = Annotated[str | None, typer.Option("--tool", help="one of those that the board file names")]
Probe = Annotated[str | None, typer.Option("--probe", help="serial number of the debug probe")]
Volume = Annotated[Path | None, typer.Option("--volume", help="where the boot loader or the probe is mounted")]


def ports(no_ask: NoAsk = False, json: options.Json = False, debug: options.Debug = False) -> None:
    """List serial ports and the boards behind them."""
    with errors_as_exit_codes(debug):
        from sq_micro.measure.ports import list_ports

        found = list_ports(ask=not no_ask)
        if json:
            print(json_text.dumps([asdict(finding) for finding in found], indent=2))
            return
        for finding in found:
            print(finding)
        if not found:
            print("no serial port is connected: plug a board in, by a cable that carries data")


def flash(
    out: options.Out = options.DEFAULT_OUT,
    tool: Tool = None,
    probe: Probe = None,
    port: options.Port = None,
    volume: Volume = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the commands, run none")] = False,
    debug: options.Debug = False,
) -> None:
    """Program the board with the image of a run."""
    with errors_as_exit_codes(debug):
        from sq_micro.stages.flash import flash_image
        from sq_micro.workspace import Workspace

        print(flash_image(Workspace(out), tool, probe, port, volume, dry_run))
