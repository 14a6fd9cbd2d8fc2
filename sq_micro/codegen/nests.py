"""What a generated operator consists of: a nest, its params, its calls; and where their arguments lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from sq_micro.codegen.places import place_view
from sq_micro.ir.operators import Operator
from sq_micro.kernels.pieces import Pieces
from sq_micro.plan.plan import Plan
from sq_micro.quant.arithmetic import Arithmetic
from sq_micro.quant.graph import QuantGraph

_T = TypeVar("_T", bound=Arithmetic)


@dataclass(frozen=True, slots=True)
class Nest:
    """A nest's name, its params, and the arguments of each call after the params."""

    name: str
    params: Mapping[str, int | str]
    calls: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class NestMaker:
    """An operator, and all that its nest follows from; `symbol` begins the names of its constants."""

    graph: QuantGraph
    plan: Plan
    operator: Operator
    symbol: str

    @property
    def pieces(self) -> Pieces | None:
        """How the operator is taken apart; None where it is not."""
        return self.plan.choices[self.operator.name].pieces

    def rest(self, tensor: str) -> str:
        """Where a tensor lies in the arena; the output of a head's last operator begins at the patch."""
        start = self.plan.tensors[tensor].offset_bytes
        head = self.plan.head
        if head is None or (self.operator.name, self.operator.output) != (head.operators[-1], tensor):
            return place_view(self.plan, start).address
        _, width, channels = self.graph.topology.image_shape(tensor)
        patch = f" + (out->first_row * {width} + out->first_column) * {channels}"
        return place_view(self.plan, start, patch).address

    def _at(self, tensor: str) -> str:
        """Where the nest finds it: pieces have codes of their own."""
        return self.rest(tensor) if self.pieces is None else self.piece_of(tensor, self.pieces)

    def piece_of(self, tensor: str, pieces: Pieces) -> str:
        """Where the codes of a piece lie."""
        start = self.plan.scratch[self.operator.name].offset_bytes
        return place_view(self.plan, start + pieces.place(tensor)).address

    def _scratch(self) -> str:
        span = self.plan.scratch.get(self.operator.name)
        return "NULL" if span is None else place_view(self.plan, span.offset_bytes).address

    def _zero(self, tensor: str) -> int:
        return self.graph.activations[tensor].zero_point

    def _arithmetic(self, wanted: type[_T]) -> _T:
        found = self.graph.arithmetic[self.operator.name]
        assert isinstance(found, wanted)
        return found

    def _image(self, tensor: str, side: str) -> dict[str, int]:
        height, width, channels = self.graph.topology.image_shape(tensor)
        return {f"{side}_height": height, f"{side}_width": width, f"{side}_channels": channels}
