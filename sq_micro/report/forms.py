"""Every form that a result can take: `render("csv", result)`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, assert_never

from pydantic import ValidationError

from sq_micro.errors import UsageError
from sq_micro.report.html.page import render_html
from sq_micro.report.markdown import render_markdown
from sq_micro.report.plots import render_plots
from sq_micro.report.result import SCHEMA_VERSION, Result
from sq_micro.report.tables import render_csv, render_folded, render_junit, render_trace

Form = Literal["html", "md", "csv", "trace", "folded", "junit", "svg", "png"]


def render(form: Form, result: Result) -> bytes:
    """The bytes of a file. Raises UsageError iff the result lacks what the form is about."""
    match form:
        case "html":
            return render_html(result).encode()
        case "md":
            return render_markdown(result).encode()
        case "csv":
            return render_csv(result).encode()
        case "trace":
            return render_trace(result).encode()
        case "folded":
            return render_folded(result).encode()
        case "junit":
            return render_junit(result).encode()
        case "svg" | "png":
            return render_plots(result, form)
        case _:
            assert_never(form)


def load_result(path: Path) -> Result:
    """A result.json, or the one in a folder. Raises UsageError iff it cannot be read, or is of another version."""
    file = path / "result.json" if path.is_dir() else path
    try:
        return Result.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is no text") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(
            f"{file}: is no result of schema {SCHEMA_VERSION} ({where}: {first['msg']});"
            " run `sq-micro measure` again where it was made"
        ) from error
