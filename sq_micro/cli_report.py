"""`sq-micro report`, `sq-micro compare` and `sq-micro diff`: looking at what a run has left."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import StageDisplay, errors_as_exit_codes
from sq_micro.errors import GoldenMismatchError, UsageError


class FormName(StrEnum):
    """See `report.forms`."""

    HTML = "html"
    MD = "md"
    CSV = "csv"
    TRACE = "trace"
    FOLDED = "folded"
    JUNIT = "junit"
    SVG = "svg"
    PNG = "png"


class TextForm(StrEnum):
    """How changes are printed."""

    TEXT = "text"
    MD = "md"
    JSON = "json"


Result = Annotated[Path, typer.Argument(help="a result.json, or the folder that holds one", show_default=False)]
Form = Annotated[FormName, typer.Option("--format", "-f", help="trace is for Perfetto, folded for flame graphs")]
File = Annotated[Path | None, typer.Option("--output", "-o", help="file to write; - is stdout  [default: stdout]")]
_GATES = "Gates: exit code 3 where AFTER takes more. +512B and +2% are relative to BEFORE"
MaxFlash = Annotated[str | None, typer.Option("--max-flash", help="as 48KiB, +512B or +2%", rich_help_panel=_GATES)]
MaxSram = Annotated[str | None, typer.Option("--max-sram", help="as 40KiB or +0", rich_help_panel=_GATES)]
MaxLatency = Annotated[str | None, typer.Option("--max-latency", help="as 60ms or +3%", rich_help_panel=_GATES)]
MaxDrop = Annotated[
    str | None,
    typer.Option("--max-drop", help="points below AFTER's float, or as +0.5 below BEFORE", rich_help_panel=_GATES),
]


def report(result: Result, form: Form = FormName.HTML, output: File = None, debug: options.Debug = False) -> None:
    """Show a result in another form: a page, a pull request's comment, a table, a trace, tests, a picture."""
    with errors_as_exit_codes(debug):
        from sq_micro.paths import write_atomically
        from sq_micro.report.forms import load_result, render

        content = render(form.value, load_result(result))
        if output is None or str(output) == "-":
            sys.stdout.flush()
            _write_stdout(content, form)
        else:
            write_atomically(output, content)


def compare(
    before: Result,
    after: Result,
    max_flash: MaxFlash = None,
    max_sram: MaxSram = None,
    max_latency: MaxLatency = None,
    max_drop: MaxDrop = None,
    form: Annotated[TextForm, typer.Option("--format", "-f")] = TextForm.TEXT,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Say what changed from one result to another, and whether it may pass."""
    with errors_as_exit_codes(debug):
        from sq_micro.report.changes import Gates, require_gates
        from sq_micro.report.changes import compare as compare_results
        from sq_micro.report.changes_text import changes_markdown, changes_text
        from sq_micro.report.forms import load_result

        gates = Gates(max_flash, max_sram, max_latency, max_drop)
        found = compare_results(load_result(before), load_result(after), gates)
        if json or form is TextForm.JSON:
            print(found.model_dump_json(indent=2))
        else:
            print(changes_markdown(found) if form is TextForm.MD else changes_text(found), end="")
        require_gates(found)


def diff(
    samples_file: Annotated[Path, typer.Option("--calibrate", help=".npz with x: samples to compare on")],
    out: options.Out = options.DEFAULT_OUT,
    samples: Annotated[
        int | None, typer.Option("--samples", min=1, help="how many of them  [default: 64; 1 with --firmware]")
    ] = None,
    firmware: Annotated[
        bool, typer.Option("--firmware", help="step through the device instead, and compare with the reference")
    ] = False,
    link: options.Link = None,
    port: options.Port = None,
    renode: options.Renode = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Find where accuracy goes, operator by operator; or the first value that a device computes wrongly."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api
        from sq_micro.stages.diff import SAMPLES

        if not firmware:
            if link or port or renode:
                raise UsageError("--link, --port and --renode say where --firmware runs: add it, or leave them out")
            found = api.diff(calibrate=samples_file, samples=samples or SAMPLES, out=out)
            print(found.model_dump_json(indent=2) if json else found)
            return
        stepped = api.diff_firmware(
            calibrate=samples_file,
            samples=samples or 1,
            link=link,
            port=port,
            renode=renode,
            out=out,
            notify=display.notify,
        )
    print(stepped.model_dump_json(indent=2) if json else stepped)
    if stepped.differences:
        raise SystemExit(GoldenMismatchError.exit_code)


def _write_stdout(content: bytes, form: FormName) -> None:
    """Text as text; a picture needs a stdout that takes bytes."""
    if form is FormName.PNG:
        sys.stdout.buffer.write(content)
    else:
        print(content.decode(), end="")
