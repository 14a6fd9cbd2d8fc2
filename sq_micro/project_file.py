"""`sqm.toml`: what `sq-micro run` deploys. Keys are the arguments of `api.deploy_request`, paths relative to the file.

model = "wake_word.keras"
board = "nucleo_l4r5zi"
calibrate = "calib.npz"
evaluate = "eval.npz"
flash = "48KiB"
max_drop = 1.0
"""

from __future__ import annotations

import difflib
import inspect
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from sq_micro import api
from sq_micro.errors import UsageError
from sq_micro.pipeline import DeployRequest

PROJECT_FILE = "sqm.toml"
_PATHS = ("model", "calibrate", "evaluate", "train", "out")
# In a file, models and samples are paths, and a plan may be a table.
_IN_FILE: dict[str, Any] = {
    "model": str,
    "calibrate": str | None,
    "evaluate": str | None,
    "train": str | None,
    "out": str,
    "weight_bits": int | str | dict[str, int] | None,
    "activation_bits": list[str] | None,
    "pins": dict[str, int] | None,
}


def read_project(file: Path, **changes: Any) -> DeployRequest:
    """The request that a project file makes; `changes` replace what it says.

    Raises UsageError naming every mistake of the file, or as `api.deploy_request` does.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}); `sq-micro init` writes one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: is not TOML: {error}") from error
    try:
        values = _schema().model_validate(content).model_dump(exclude_unset=True)
    except ValidationError as error:
        problems = "; ".join(_mistake(dict(detail)) for detail in error.errors())
        raise UsageError(f"{file}: {problems}") from error
    folder = file.resolve().parent
    for key in _PATHS:
        if values.get(key) is not None:
            values[key] = folder / values[key]
    for key, suffix in (("board", ".toml"), ("weight_bits", ".json")):
        if isinstance(values.get(key), str) and values[key].endswith(suffix):
            values[key] = str(folder / values[key])
    values.setdefault("out", folder / api.DEFAULT_OUT)
    return api.deploy_request(**(values | {key: value for key, value in changes.items() if value is not None}))


@cache
def _schema() -> type[BaseModel]:
    """Names, types and defaults of `deploy_request`: an option that it gets is a key of the file at once."""
    hints = get_type_hints(api.deploy_request)
    fields: dict[str, Any] = {
        name: (_IN_FILE.get(name, hints[name]), ... if given.default is given.empty else given.default)
        for name, given in inspect.signature(api.deploy_request).parameters.items()
    }
    return create_model("ProjectFile", __config__=ConfigDict(extra="forbid", strict=True), **fields)


def _mistake(detail: dict[str, Any]) -> str:
    key = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, list(_schema().model_fields), n=1)
        return f"unknown key '{key}'{f'; did you mean {near[0]}?' if near else ''}"
    if detail["type"] == "missing":
        return f"'{key}' is missing"
    return f"'{key}': {detail['msg']}, not {detail['input']!r}"
