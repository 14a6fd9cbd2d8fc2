"""One call of one Keras layer, as a handler sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import ModelError, UnsupportedLayerError
from sq_micro.frontend.graph_builder import MAX_RANK, Value
from sq_micro.ir.topology import Shape


@dataclass(frozen=True, slots=True)
class LayerCall:
    """layer   the Keras layer or operation
    name    the operator name of this call
    owner   the name that the layer's constants carry, the same in all its calls
    inputs  what the layer is called on
    """

    layer: Any
    name: str
    owner: str
    inputs: tuple[Value, ...]

    @property
    def input(self) -> Value:
        """The only input. Raises UnsupportedLayerError iff the call has several, such as a mask."""
        if len(self.inputs) != 1:
            raise self.unsupported(f"{self.kind} called on {len(self.inputs)} tensors", "a call on one tensor")
        return self.inputs[0]

    @property
    def kind(self) -> str:
        return type(self.layer).__name__

    def output_shape(self) -> Shape:
        """What Keras says the layer makes of these inputs, without batch.

        Raises UnsupportedLayerError iff that has no NHWC form.
        """
        shapes = [(1, *value.shape) for value in self.inputs]
        full = self.layer.compute_output_shape(shapes[0] if len(shapes) == 1 else shapes)
        shape = tuple(int(size) for size in full[1:])
        if not 1 <= len(shape) <= MAX_RANK:
            raise self.unsupported(f"{self.kind} with output shape {shape}", f"1 to {MAX_RANK} axes besides the batch")
        return shape

    def weight(self, attribute: str) -> NDArray[np.float64]:
        """One of the layer's variables. Raises ModelError iff a value is NaN or infinite."""
        values = np.asarray(getattr(self.layer, attribute)).astype(np.float64)
        if not np.isfinite(values).all():
            raise ModelError(f"layer '{self.layer.name}': NaN or infinity in its {attribute}; train the model again")
        return values

    def require(self, holds: bool, configuration: str, supported: str) -> None:
        """Raise UnsupportedLayerError, '<Class> with <configuration>', unless a condition holds."""
        if not holds:
            raise self.unsupported(f"{self.kind} with {configuration}", supported)

    def require_channels_last(self) -> None:
        """Raise UnsupportedLayerError iff the layer reads its images as (channels, height, width)."""
        data_format = getattr(self.layer, "data_format", "channels_last")
        self.require(data_format == "channels_last", f"data_format='{data_format}'", "data_format='channels_last'")

    def unsupported(self, configuration: str, supported: str) -> UnsupportedLayerError:
        return UnsupportedLayerError(self.layer.name, configuration, supported)
