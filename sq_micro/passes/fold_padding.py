"""Padding operators into the convolutions that read them."""

from __future__ import annotations

from dataclasses import replace

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import Conv2D, DepthwiseConv2D, Pad, Pad2D
from sq_micro.passes.draft import Draft


def fold_padding(graph: FloatGraph) -> FloatGraph:
    """Fold each Pad2D into its reader, a convolution or another Pad2D, if it has no other.

    Not into pooling, which leaves its own padding out where a Pad2D's zeros count.
    """
    draft = Draft(graph)
    for operator in graph.topology.operators:
        pad = draft.producer(operator.output)
        if not isinstance(pad, Pad2D):
            continue
        reader = draft.sole_reader(pad.output)
        if isinstance(reader, Conv2D | DepthwiseConv2D | Pad2D):
            draft.replace(reader, replace(reader, padding=_sum(pad.padding, reader.padding)))
            draft.bypass(pad, pad.input)
    return draft.finish()


def _sum(outer: Pad, inner: Pad) -> Pad:
    return Pad(outer.top + inner.top, outer.bottom + inner.bottom, outer.left + inner.left, outer.right + inner.right)
