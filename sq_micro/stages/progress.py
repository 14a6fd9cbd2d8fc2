"""How a stage tells how far it is: the command line draws a bar, a program may count along."""

from __future__ import annotations

from typing import Protocol


class Notify(Protocol):
    """Called often, from one thread: `notify("calibrate", 64, 512)`."""

    def __call__(self, task: str, done: int, total: int) -> None:
        """`done` of `total` units of `task` are done; equal means finished."""


def silent(task: str, done: int, total: int) -> None:
    """Nobody looks."""
