"""What a person may choose about fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sq_micro.errors import UsageError

_SEEN, _MOST_EPOCHS = 20_000, 60  # samples that training sees, repetitions included
_TRAVEL_STEPS = 4.25  # between levels: steps of training times learning rate, where a run is long


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Changes that leave a sample one of its kind; none by default, since only a person knows what is natural.

    mirror         swap left and right in every second sample
    shift_rows     move an image up or down by up to so many rows; what comes in repeats the edge
    shift_columns  the same, left or right
    mixed          the fraction of samples that are blended with another: the float network says what they then are
    """

    mirror: bool = False
    shift_rows: int = 0
    shift_columns: int = 0
    mixed: float = 0.0

    def __post_init__(self) -> None:
        if self.shift_rows < 0 or self.shift_columns < 0:
            raise UsageError(f"a shift of {self.shift_rows} rows, {self.shift_columns} columns: give 0 or more")
        if not 0.0 <= self.mixed <= 1.0:
            raise UsageError(f"a fraction of {self.mixed:g} mixed samples: give a number between 0 and 1")


@dataclass(frozen=True, slots=True)
class FinetuneOptions:
    """Defaults as measured in DESIGN.md, "Fine-tuning".

    epochs               passes over the training samples
    batch                samples a step; fewer where there are fewer
    learning_rate        Adam's, of the weights; the unit is the step between levels, whatever the width
    scale_learning_rate  Adam's, of everything else: logarithms of scales, biases in units of the output's range
    learn_ranges         whether the scales of activations are trained too; zero points and the input's scale are not
    temperature          softens both distributions that distillation compares
    label_weight         the share of the labels' cross-entropy in the loss, where there are labels
    validation           the fraction of the samples that is held out to choose the best state by
    round_steps          steps between two looks at the held-out samples; each ends with a checkpoint
    patience             rounds without a better state after which training ends
    seed                 of the split, the order and the augmentation
    """

    epochs: int = 3
    batch: int = 64
    learning_rate: float = 1e-2
    scale_learning_rate: float = 2e-4
    learn_ranges: bool = True
    temperature: float = 2.0
    label_weight: float = 0.5
    validation: float = 0.1
    round_steps: int = 50
    patience: int = 10
    seed: int = 0
    augmentation: Augmentation = Augmentation()

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "round_steps", "patience"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} of {getattr(self, name)}: at least 1 is needed")
        for name in ("learning_rate", "scale_learning_rate"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise UsageError(f"{name} of {getattr(self, name):g}: give a number from 0 up to below 1, such as 1e-3")
        if self.learning_rate == 0.0 and self.scale_learning_rate == 0.0:
            raise UsageError("both learning rates are 0: there is nothing to train")
        if not 0.1 <= self.temperature <= 100.0:
            raise UsageError(f"a temperature of {self.temperature:g}: give a number between 0.1 and 100")
        if not 0.0 <= self.label_weight <= 1.0:
            raise UsageError(f"a label weight of {self.label_weight:g}: give a number between 0 and 1")
        if not 0.0 < self.validation <= 0.5:
            raise UsageError(f"a validation fraction of {self.validation:g}: give a number above 0, at most 0.5")
        if self.seed < 0:
            raise UsageError(f"a seed of {self.seed}: give 0 or more")

    def document(self) -> dict[str, Any]:
        """The options as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FinetuneOptions:
        """The inverse of `document`. Raises UsageError naming an option that is unknown or of the wrong kind."""
        _check_kinds(Augmentation, changes := document.get("augmentation", {}))
        _check_kinds(cls, document)
        return cls(**{**document, "augmentation": Augmentation(**changes)})


def recommended(samples: int, epochs: int | None = None) -> FinetuneOptions:
    """What to begin with, by the number of training samples, and of epochs if a person chose it.

    Few samples are seen more often. Adam moves a latent by about the learning rate a step, whatever its gradient: the
    longer the run, the smaller the rate, or latents wander across levels faster than they settle; and the more looks
    without a better state it takes to give up.
    """
    default = FinetuneOptions()
    passes = epochs if epochs is not None else min(max(3, -(-_SEEN // max(samples, 1))), _MOST_EPOCHS)
    steps = passes * max(1, round(samples * (1 - default.validation)) // default.batch)
    return replace(
        default,
        epochs=passes,
        learning_rate=min(default.learning_rate, _TRAVEL_STEPS / steps),
        patience=max(default.patience, steps // default.round_steps // 2),
    )


def _check_kinds(of: Any, document: Mapping[str, Any]) -> None:
    kinds = {field.name: field.type for field in fields(of)}
    for name, value in document.items():
        kind = kinds.get(name)
        if kind is None:
            raise UsageError(f"fine-tuning has no option '{name}'; it has {', '.join(kinds)}")
        accepted: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}
        wrong_bool = isinstance(value, bool) and kind != "bool"
        if kind in accepted and (wrong_bool or not isinstance(value, accepted[kind])):
            raise UsageError(f"option '{name}' is {value!r}; {kind} is needed")
