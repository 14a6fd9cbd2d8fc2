"""The training run: rounds of steps, checkpoints, early stop, and the integers of the best round.

On one machine a run is deterministic, and its state is saved whole after each round: a run that was interrupted and is
started again ends with the result of one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import TrainingError
from sq_micro.finetune.batches import Batches, split_samples
from sq_micro.finetune.checkpoint import Arrays, Checkpoint
from sq_micro.finetune.forward import Constants
from sq_micro.finetune.network import FakeQuantNetwork
from sq_micro.finetune.objective import Head, Objective
from sq_micro.finetune.progress import Progress, Round, best_of, silent
from sq_micro.finetune.request import Request
from sq_micro.finetune.step import Stepper
from sq_micro.ir import evaluate
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import assemble
from sq_micro.quant.sharing import own_constants
from sq_micro.quant.storage import save_quant_graph

CHECKPOINT, RESULT = "checkpoint.npz", "result.npz"
_LOOK = 128  # samples at a time


@dataclass(slots=True)
class Training:
    """A run in a folder; `run` does it, or goes on with it.

    alive  called before each step; raises where nobody waits for the result any more
    """

    request: Request
    folder: Path
    progress: Progress = silent
    alive: Callable[[], None] = lambda: None
    network: FakeQuantNetwork = field(init=False)
    _batches: Batches = field(init=False)
    _stepper: Stepper = field(init=False)
    _float: dict[str, Constants] = field(init=False)
    _head: Head = field(init=False)

    def __post_init__(self) -> None:
        request, options = self.request, self.request.options
        topology, constants = request.start.topology, own_constants(request.graph).constants
        self.network = FakeQuantNetwork(request.start, options.learn_ranges)
        split = split_samples(len(request.samples), options)
        shape, classes = topology.shape(topology.input)[1:], topology.shape(topology.output)[-1]
        self._batches = Batches(request.samples, split, options, shape, classes)
        self._float = {op.name: (constants[op.weights], constants[op.bias]) for op in topology.weighted()}
        self._head = Head.of(topology)
        objective = Objective(self._head, options.label_weight, self._variance())
        self._stepper = Stepper(self.network, objective, options, self._batches.steps)

    def run(self) -> QuantGraph:
        """Train to the end, or to the early stop; gives the integers of the best round, which are also in the folder.

        Raises TrainingError iff the loss leaves the numbers; the best state so far is then in the folder.
        """
        key = self.request.key()
        state = Checkpoint.load(self.folder / CHECKPOINT, key) or self._begin(key)
        began = time.monotonic() - state.rounds[-1].seconds
        for known in state.rounds:
            self.progress(known)
        while state.rounds[-1].step < self._batches.steps and self._patient(state.rounds):
            state = self._round(state, began)
            self.progress(state.rounds[-1])
        return self._save_best(state)

    def _begin(self, key: str) -> Checkpoint:
        variables = _arrays(self._stepper.variables())
        first = self._look(variables, 0, None, 0.0)
        if not np.isfinite(first.held_out):
            raise TrainingError("the loss is no number before training began; check the samples and the network")
        state = Checkpoint(key, variables, _arrays(self._stepper.optimizer_state()), variables, (first,))
        self._save_best(state)
        state.save(self.folder / CHECKPOINT)
        return state

    def _patient(self, rounds: tuple[Round, ...]) -> bool:
        return len(rounds) - 1 - best_of(rounds) < self.request.options.patience

    def _round(self, state: Checkpoint, began: float) -> Checkpoint:
        """Train up to the next look, look, and save."""
        variables, optimizer = state.variables, state.optimizer
        first = state.rounds[-1].step
        last = min(first + self.request.options.round_steps, self._batches.steps)
        losses = []
        for step in range(first, last):
            self.alive()
            batch = self._batches.at(step)
            variables, optimizer, loss = self._stepper.train(variables, optimizer, self._float, batch.x, batch.targets)
            losses.append(loss)
        mean = float(np.mean([float(loss) for loss in losses]))
        found = self._look(_arrays(variables), last, mean, time.monotonic() - began)
        if not (np.isfinite(mean) and np.isfinite(found.held_out)):
            best = state.rounds[best_of(state.rounds)]
            raise TrainingError(
                f"the loss is no number any more between step {first} and {last} of {self._batches.steps}; lower the"
                f" learning rate ({self.request.options.learning_rate:g}) or look for extreme samples."
                f" The best state so far, of step {best.step}, is in {self.folder / RESULT}"
            )
        rounds = (*state.rounds, found)
        state = replace(state, variables=_arrays(variables), optimizer=_arrays(optimizer), rounds=rounds)
        if best_of(rounds) == len(rounds) - 1:
            state = replace(state, best=state.variables)
            self._save_best(state)
        state.save(self.folder / CHECKPOINT)
        return state

    def _save_best(self, state: Checkpoint) -> QuantGraph:
        """The integers of the best round; those of the start, untouched, iff nothing was better."""
        result = self.request.start
        if best_of(state.rounds) > 0:
            self._stepper.assign(state.best)
            ranges, bitwidths = self.network.ranges(self.request.ranges), self.request.start.bitwidths
            result = assemble(self.request.graph, ranges, bitwidths, self.network.quantized_weights())
        save_quant_graph(result, self.folder / RESULT)
        return result

    def _look(self, variables: Arrays, step: int, train_loss: float | None, seconds: float) -> Round:
        """Measure on the held-out samples, as they are."""
        losses, taught, output = self._over_held_out(variables)
        labels = self.request.samples.labels
        right = agreement = None
        if self._head is Head.SOFTMAX:
            decided = output.argmax(axis=-1)
            agreement = float((decided == taught.argmax(axis=-1)).mean())
            if labels is not None:
                right = float((decided == labels[self._batches.split.held_out]).mean())
        return Round(step, self._batches.steps, train_loss, float(losses.mean()), agreement, right, round(seconds, 3))

    def _over_held_out(self, variables: Arrays) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Losses, scores of the float network and outputs of ours; the last batch is filled up, and cut again."""
        indices = self._batches.split.held_out
        parts = []
        for first in range(0, len(indices), _LOOK):
            chunk = indices[first : first + _LOOK]
            batch = self._batches.take(np.resize(chunk, min(_LOOK, len(indices))))
            seen = self._stepper.look(variables, self._float, batch.x, batch.targets)
            parts.append([np.asarray(values)[: len(chunk)] for values in seen])
        losses, taught, output = (np.concatenate(values) for values in zip(*parts, strict=True))
        return losses, taught, output

    def _variance(self) -> float:
        """Of each value of a regression over held-out samples, on average: the unit of its loss."""
        if self._head is not Head.VALUES:
            return 1.0
        seen = self._batches.take(self._batches.split.held_out[:_LOOK]).x
        variance = evaluate.run(self.request.graph, seen).astype(np.float64).var(axis=0).mean()
        return max(float(variance), float(np.finfo(np.float32).tiny))


def _arrays(state: Any) -> Arrays:
    return tuple(np.asarray(value) for value in state)
