"""One training step and one look at samples, each a single compiled function of its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax

from sq_micro.finetune.backend import keras, ops
from sq_micro.finetune.forward import Constants, Tensor
from sq_micro.finetune.network import FakeQuantNetwork, float_scores
from sq_micro.finetune.objective import Objective
from sq_micro.finetune.options import FinetuneOptions

State = tuple[Tensor, ...]

_LAST_RATE = 0.02  # of the highest: where the cosine ends
_WARM_UP = 0.05  # of all steps: Adam's first directions are little more than signs


@dataclass(slots=True)
class Stepper:
    """The compiled functions of a run.

    steps  in all: the learning rates rise and fall over them
    train  (variables, optimizer state, float constants, x, targets) to (variables, optimizer state, loss)
    look   (variables, float constants, x, targets) to (losses, the float network's scores, our outputs)
    """

    network: FakeQuantNetwork
    objective: Objective
    options: FinetuneOptions
    steps: int
    train: Any = field(init=False)
    look: Any = field(init=False)
    _optimizers: tuple[Any, Any] = field(init=False)

    def __post_init__(self) -> None:
        first, second = self._groups()
        rates = self.options.learning_rate, self.options.scale_learning_rate
        self._optimizers = (_adam(rates[0], self.steps, first), _adam(rates[1], self.steps, second))
        self.train = jax.jit(self._train)
        self.look = jax.jit(self._look)

    def _groups(self) -> tuple[list[Any], list[Any]]:
        """The variables that the two learning rates are for: weights, and all others."""
        latents = [layer.latent for layer in self.network.weighted]
        known = {id(variable) for variable in latents}
        return latents, [v for v in self.network.trainable_variables if id(v) not in known]

    @property
    def _variables(self) -> list[Any]:
        first, second = self._groups()
        return [*first, *second]

    def variables(self) -> State:
        """What is trained, as it is in the network."""
        return tuple(variable.value for variable in self._variables)

    def assign(self, variables: Sequence[Any]) -> None:
        """Put a state into the network."""
        for variable, value in zip(self._variables, variables, strict=True):
            variable.assign(value)

    def optimizer_state(self) -> State:
        """As it is before the first step."""
        return tuple(variable.value for optimizer in self._optimizers for variable in optimizer.variables)

    def _scores(self, variables: State, x: Tensor) -> tuple[Tensor, Tensor]:
        with keras.StatelessScope(state_mapping=list(zip(self._variables, variables, strict=True))):
            scores, output = self.network.call(x)
        return scores, output

    def _train(
        self, variables: State, optimizer: State, taught_by: dict[str, Constants], x: Tensor, targets: Tensor | None
    ) -> tuple[State, State, Tensor]:
        taught = float_scores(self.network.topology, taught_by, x)

        def loss(trained: State) -> Tensor:
            scores, _ = self._scores(trained, x)
            return ops.mean(self.objective.losses(scores, taught, targets, self.options.temperature))

        value, gradients = jax.value_and_grad(loss)(variables)
        split = len(self._optimizers[0].variables)
        latents = len(self.network.weighted)
        moved: list[Tensor] = []
        states: list[Tensor] = []
        parts = ((slice(0, latents), optimizer[:split]), (slice(latents, None), optimizer[split:]))
        for adam, (part, state) in zip(self._optimizers, parts, strict=True):
            new, state = adam.stateless_apply(list(state), list(gradients[part]), list(variables[part]))
            moved += new
            states += state
        for index, layer in enumerate(self.network.weighted):
            moved[index] = layer.inside(moved[index])
        return tuple(moved), tuple(states), value

    def _look(
        self, variables: State, taught_by: dict[str, Constants], x: Tensor, targets: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        taught = float_scores(self.network.topology, taught_by, x)
        scores, output = self._scores(variables, x)
        return self.objective.losses(scores, taught, targets, self.options.temperature), taught, output


def _adam(rate: float, steps: int, variables: list[Any]) -> Any:
    warm_up = max(1, round(_WARM_UP * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), alpha=_LAST_RATE, warmup_target=rate, warmup_steps=warm_up
    )
    adam = keras.optimizers.Adam(schedule)
    adam.build(variables)
    return adam
