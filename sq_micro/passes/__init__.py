"""FloatGraph → FloatGraph with the same meaning and nothing in it that quantization does not take.

Each pass takes a valid graph and leaves a valid one; after the last, no Identity and no ChannelAffine is left,
and padding and activation functions sit in the operators that can hold them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.verify import verify_float_graph
from sq_micro.passes.collapse_reshapes import collapse_reshapes
from sq_micro.passes.fold_channel_affine import fold_channel_affine
from sq_micro.passes.fold_padding import fold_padding
from sq_micro.passes.fuse_activation import fuse_activation
from sq_micro.passes.order_operators import order_operators
from sq_micro.passes.remove_identity import remove_identity
from sq_micro.passes.replace_channel_affine import replace_channel_affine

Pass: TypeAlias = Callable[[FloatGraph], FloatGraph]
Trace: TypeAlias = Callable[[str, FloatGraph], None]

CANONICALISE: tuple[Pass, ...] = (
    remove_identity,
    fold_channel_affine,
    replace_channel_affine,
    fuse_activation,  # before fold_padding: an activation may stand between a Pad2D and its convolution
    fold_padding,
    collapse_reshapes,
    order_operators,
)

# What is left of the passes where the model's file gives the integers: these move codes, and round nothing anew.
KEEP_INTEGERS: tuple[Pass, ...] = (remove_identity, fold_padding, collapse_reshapes)


def _untraced(name: str, graph: FloatGraph) -> None: ...


def canonicalise(graph: FloatGraph, trace: Trace = _untraced) -> FloatGraph:
    """Run every pass in turn; `trace` is told each pass's name and what it left.

    Raises ModelError iff no operator is left, GraphError naming the pass iff one breaks the graph.
    """
    for step in CANONICALISE if graph.given is None else KEEP_INTEGERS:
        graph = step(graph)
        verify_float_graph(graph, after=step.__name__)
        trace(step.__name__, graph)
    return graph
