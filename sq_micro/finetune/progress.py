"""What the child says while it works: one JSON object a line on its standard output."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Round:
    """A look at the held-out samples.

    step, steps  taken so far, and planned; step 0 is the start
    train_loss   mean of the objective since the round before; None at the start
    held_out     the objective on the held-out samples: nats, or variances for a regression
    agreement    fraction of held-out samples whose arg-max is the float network's; None without classes
    accuracy     fraction of held-out samples whose arg-max is the label; None without labels
    seconds      of work so far, over all interruptions
    """

    step: int
    steps: int
    train_loss: float | None
    held_out: float
    agreement: float | None
    accuracy: float | None
    seconds: float

    def line(self) -> str:
        """As the child prints it."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        shown = [f"step {self.step}/{self.steps}"]
        shown += [] if self.train_loss is None else [f"loss {self.train_loss:.4f}"]
        shown += [f"held-out {self.held_out:.4f}"]
        shown += [] if self.agreement is None else [f"agreement {self.agreement:.1%}"]
        shown += [] if self.accuracy is None else [f"accuracy {self.accuracy:.1%}"]
        return ", ".join(shown)


Progress = Callable[[Round], None]


def silent(_: Round) -> None:
    """Tells no one."""


def round_of_line(line: str) -> Round | None:
    """The inverse of `Round.line`; None for any other line."""
    try:
        return Round(**json.loads(line))
    except (ValueError, TypeError):
        return None


def best_of(rounds: tuple[Round, ...]) -> int:
    """Index of the round with the smallest held-out loss, the first of equals; 0 is the start."""
    losses = [found.held_out if found.held_out == found.held_out else inf for found in rounds]
    return losses.index(min(losses))
