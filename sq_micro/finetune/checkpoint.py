"""What a run needs to go on where it was interrupted: one archive, replaced whole after each round."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import UsageError
from sq_micro.finetune.progress import Round
from sq_micro.ir.storage import load_archive, save_archive

Arrays = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after a round.

    key        of the request that it belongs to
    variables  what is trained, in the network's order
    optimizer  the optimizers' state, in their order
    best       `variables` as they were after the best round
    rounds     the history so far; training goes on at the last one's step
    """

    key: str
    variables: Arrays
    optimizer: Arrays
    best: Arrays
    rounds: tuple[Round, ...]

    def save(self, file: Path) -> None:
        """Write it whole or not at all."""
        groups = {"variables": self.variables, "optimizer": self.optimizer, "best": self.best}
        arrays = {f"{group}/{index}": array for group, state in groups.items() for index, array in enumerate(state)}
        scalars = [name for name, array in arrays.items() if np.ndim(array) == 0]  # an archive gives them an axis
        document = {"key": self.key, "rounds": [asdict(found) for found in self.rounds], "scalars": scalars}
        save_archive(file, document, arrays)

    @classmethod
    def load(cls, file: Path, key: str) -> Checkpoint | None:
        """The checkpoint of this request; None iff there is none, or one of another request, or a damaged one."""
        try:
            document, arrays = load_archive(file)
            if document["key"] != key:
                return None
            rounds = tuple(Round(**entry) for entry in document["rounds"])
            arrays |= {name: arrays[name].reshape(()) for name in document["scalars"]}
        except (UsageError, KeyError, TypeError):
            return None

        def state(group: str) -> Arrays:
            count = sum(name.startswith(f"{group}/") for name in arrays)
            return tuple(arrays[f"{group}/{index}"] for index in range(count))

        return cls(key, state("variables"), state("optimizer"), state("best"), rounds)
