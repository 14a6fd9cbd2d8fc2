"""Runs `sq-micro` as a person does, inside this process."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from sq_micro.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def error_line(self) -> str:
        """The one line that an error is; fails the test where there is more, or a traceback."""
        errors = [line for line in self.err.splitlines() if line.startswith("sq-micro: error: ")]
        assert len(errors) == 1, self.err
        assert "Traceback" not in self.err
        return errors[0]


def sq_micro(*arguments: str | Path) -> Ran:
    return run_main(["sq-micro", *map(str, arguments)])


def run_main(argv: Sequence[str]) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with patch.object(sys, "argv", list(argv)), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return Ran(code, out.getvalue(), err.getvalue())
