"""`sq-micro export`, `package` and `reproduce`: what a run gives to others."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import StageDisplay, errors_as_exit_codes
from sq_micro.errors import GoldenMismatchError

Run = Annotated[Path, typer.Option("--out", help="folder of the run's artefacts")]


class Format(StrEnum):
    """See `stages.export`."""

    TFLITE = "tflite"
    COMPACT = "tflite-compact"


class Kind(StrEnum):
    """See `codegen.package`."""

    CMAKE = "cmake"
    ARDUINO = "arduino"
    PLATFORMIO = "platformio"
    ZEPHYR = "zephyr"
    ESP_IDF = "esp-idf"
    CMSIS = "cmsis"
    C = "c"


def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="file to write")],
    out: Run = options.DEFAULT_OUT,
    form: Annotated[Format, typer.Option("--format", help="compact: int4 where TFLite Micro has it")] = Format.TFLITE,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write the quantized network as a .tflite for stock TFLite Micro, run on the golden inputs."""
    with errors_as_exit_codes(debug):
        from sq_micro import api

        record = api.export(output, form.value, out=out)
        print(record.model_dump_json(indent=2) if json else record)


def package(
    kind: Annotated[Kind, typer.Option("--kind", help="ecosystem")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder to write")],
    out: Run = options.DEFAULT_OUT,
    version: Annotated[str, typer.Option("--package-version", help="three numbers, for the manifest")] = "1.0.0",
    homepage: Annotated[str | None, typer.Option("--homepage", help="URL for the manifest")] = None,
    portable: Annotated[bool, typer.Option("--portable", help="portable C, not the board's own kernels")] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Wrap the generated C as a library: manifest, README, licence, and a test with golden vectors."""
    with errors_as_exit_codes(debug):
        from sq_micro import api
        from sq_micro.stages.package import PLACEHOLDER_HOMEPAGE

        url = homepage or PLACEHOLDER_HOMEPAGE
        record = api.package(kind.value, output, version=version, homepage=url, portable=portable, out=out)
        print(record.model_dump_json(indent=2) if json else record)


def reproduce(
    lock: Annotated[Path, typer.Argument(help="sqm.lock of a run, or the run's folder", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder to build in")] = Path("out/reproduced"),
    inputs: Annotated[Path | None, typer.Option("--inputs", help="folder of model and samples")] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Build a locked run again; exit code 7 and what differs, where sources or image are not the same."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api
        from sq_micro.stages.lock import LOCK_FILE

        file = lock / LOCK_FILE if lock.is_dir() else lock
        found = api.reproduce(file, out=output, inputs=inputs, notify=display.notify)
    print(found.model_dump_json(indent=2) if json else found)
    if not found.identical:
        raise SystemExit(GoldenMismatchError.exit_code)
