"""Other people's programs that run to their end: flashers, and the question for a version."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sq_micro.errors import ToolchainError


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program ended with, and what it said on both streams."""

    exit_code: int
    text: str

    @property
    def last_line(self) -> str:
        """The last line that says anything; usually the reason of a failure."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return lines[-1] if lines else "it did not say why"


def run_program(command: Sequence[str], timeout_s: float) -> Finished:
    """Run a program without input. Raises ToolchainError iff it does not start, or not end in time."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,  # whoever asks which probe to use must not wait for an answer
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        raise ToolchainError(f"{command[0]} does not run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"{name} has not ended within {timeout_s:g} s and was stopped") from error
    return Finished(done.returncode, done.stdout.decode("utf-8", "replace"))


def run_in_foreground(command: Sequence[str], folder: Path) -> int:
    """Run a program in a folder, with our own input and output; its exit code.

    Raises ToolchainError iff it does not start.
    """
    try:
        return subprocess.run(command, cwd=folder, check=False).returncode
    except OSError as error:
        raise ToolchainError(f"{command[0]} does not run: {error.strerror}") from error
