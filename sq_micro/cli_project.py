"""`sq-micro init` and `sq-micro run`: a project's own settings in a file beside it."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import StageDisplay, errors_as_exit_codes, show_result

_MODELS = ("*.keras", "*.tflite", "*.h5")
_TITLE = "# What `sq-micro run` deploys: options of `sq-micro deploy`, with paths relative to this file."
_DEFAULT_BOARD = "nucleo_l4r5zi"

Yes = Annotated[bool, typer.Option("--yes", "-y", help="ask nothing: take what the options and the folder say")]
ProjectFile = Annotated[Path, typer.Argument(help="project file, or its folder", show_default="sqm.toml")]


def init(
    folder: Annotated[Path, typer.Argument(help="where the project file goes")] = Path(),
    model: Annotated[str | None, typer.Option("--model", help="trained model, relative to the folder")] = None,
    board: Annotated[str | None, typer.Option("--board", "-b", help="board id, or a .toml file")] = None,
    calibrate: Annotated[str | None, typer.Option("--calibrate", help=".npz with x")] = None,
    evaluate: Annotated[str | None, typer.Option("--evaluate", help=".npz with x and y")] = None,
    flash: Annotated[str | None, typer.Option("--flash", help="budget, as 48KiB; bits are then chosen")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a project file that is there")] = False,
    yes: Yes = False,
    debug: options.Debug = False,
) -> None:
    """Ask a few questions and write sqm.toml, which `sq-micro run` deploys."""
    with errors_as_exit_codes(debug):
        from sq_micro.errors import UsageError
        from sq_micro.paths import write_atomically
        from sq_micro.project_file import PROJECT_FILE, read_project

        file = folder / PROJECT_FILE
        if file.exists() and not force:
            raise UsageError(f"{file}: is there already; edit it, or replace it with --force")

        def answer(question: str, given: str | None, guess: str) -> str:
            if given is not None or yes:
                return guess if given is None else given
            return str(typer.prompt(question, default=guess, err=True))

        samples = sorted(path.name for path in folder.glob("*.npz"))
        models = [path.name for pattern in _MODELS for path in sorted(folder.glob(pattern))]
        values = {
            "model": answer("trained model", model, next(iter(models), "model.keras")),
            "board": answer("board", board, _DEFAULT_BOARD),
            "calibrate": answer("samples to calibrate by", calibrate, _first(samples, "calib")),
            "evaluate": answer("samples to find accuracy by", evaluate, _first(samples, "eval")),
            "flash": answer("flash budget, as 48KiB (empty: 8 bits everywhere)", flash, ""),
        }
        lines = [f"{key} = {json_text.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value]
        text = "\n".join([_TITLE, *lines, ""])
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)
        read_project(file)
        print(f"{file}: written; `sq-micro run {folder}` deploys it")


def run(
    file: ProjectFile = Path(),
    board: Annotated[str | None, typer.Option("--board", "-b", help="in place of the file's")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="in place of the file's")] = None,
    json: options.Json = False,
    dry_run: options.DryRun = False,
    debug: options.Debug = False,
) -> None:
    """Deploy what sqm.toml says."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api, pipeline
        from sq_micro.project_file import PROJECT_FILE, read_project

        request = read_project(file / PROJECT_FILE if file.is_dir() else file, board=board, out=out)
        if dry_run:
            preview = pipeline.preview(request)
            print(preview.model_dump_json(indent=2) if json else preview)
            return
        result = api.carry_out(request, display.notify, display.done).result
    show_result(result, json, request.out)


def _first(names: list[str], word: str) -> str:
    """The first name with a word in it; empty where there is none."""
    return next((name for name in names if word in name.lower()), "")
