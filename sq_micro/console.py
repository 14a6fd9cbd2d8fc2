"""The terminal's side of a command: progress bars, a line per stage, one line per error. Results go to stdout."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from sq_micro.errors import SqMicroError

if TYPE_CHECKING:
    from sq_micro.report.result import Result

INTERNAL_ERROR = 1
USAGE_ERROR = 2
INTERRUPTED = 130
_PIPED_WIDTH = 120  # columns, where no terminal says how many it has


class StageDisplay:
    """Bars while work goes on, a line when a stage is done; on stderr, and bars only where it is a terminal."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> StageDisplay:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def notify(self, task: str, done: int, total: int) -> None:
        """See `stages.progress.Notify`."""
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(task, total=total)
        self._bars.update(self._tasks[task], completed=done, total=total, visible=done < total)

    def done(self, stage: str, record: BaseModel) -> None:
        """A stage ended: say in one line what came out."""
        self.say(stage, str(record))

    def say(self, stage: str, text: str) -> None:
        """One line on stderr."""
        self._console.print(f"[dim]{stage:<9}[/] {escape(text)}", soft_wrap=True)


def show_result(result: Result, json: bool, out: Path) -> None:
    """A run's result on stdout: tables and where the artefacts lie, or the text of `result.json`."""
    from sq_micro.report.terminal import print_result  # help must not wait for what draws tables

    if json:
        print(result.to_json(), end="")
        return
    console = Console()
    print_result(result, console if console.is_terminal else Console(width=_PIPED_WIDTH))
    written = {"report": "report.html", "result": "result.json", "image": "firmware.elf", "sources": "model"}
    print("   ".join(f"{what}: {out / name}" for what, name in written.items()))


@contextmanager
def errors_as_exit_codes(debug: bool) -> Iterator[None]:
    """Turn every error into one line on stderr and the documented exit code; `debug` adds the traceback."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        _fail(interrupt, "interrupted; finished stages are kept, nothing is half-written", INTERRUPTED, debug)
    except BrokenPipeError:
        raise  # the reader of our stdout left; `main` ends quietly
    except SqMicroError as error:
        _fail(error, str(error), error.exit_code, debug)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error)
        advice = "; free some space and run again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        _fail(error, f"{where}{reason}{advice}", USAGE_ERROR, debug)
    except MemoryError as error:
        _fail(error, "out of memory; give fewer samples, or a smaller model", USAGE_ERROR, debug)
    except Exception as error:  # the last resort: a person gets a line, --debug gets the rest
        line = f"internal error: {type(error).__name__}: {error}; please report it with the output of --debug"
        _fail(error, line, INTERNAL_ERROR, debug)


def print_error(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    print(f"sq-micro: error: {' '.join(message.split())}", file=sys.stderr)


def _fail(error: BaseException, message: str, code: int, debug: bool) -> None:
    if debug:
        traceback.print_exception(error)
    print_error(message)
    raise SystemExit(code) from None
