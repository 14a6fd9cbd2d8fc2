"""Command lines of sq-micro, parsed by the real parser without being carried out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from sq_micro.cli import app


def parse(arguments: Sequence[str]) -> None:
    """Raises a usage error of the parser's own for an unknown command or option, or a value of the wrong type."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("sq-micro", list(arguments))
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)


def options_of(words: Sequence[str]) -> set[str]:
    """The options of the command that the words name. Raises KeyError iff they name none."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if not hasattr(command, "commands"):
            break
        command = command.commands[word]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
