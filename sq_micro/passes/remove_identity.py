"""Removes what does nothing."""

from __future__ import annotations

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import Identity, Pad2D, Relu, Reshape
from sq_micro.passes.draft import Draft


def remove_identity(graph: FloatGraph) -> FloatGraph:
    """Remove Identity, Reshape to the same shape, Pad2D by nothing and Relu without bounds."""
    draft = Draft(graph)
    for operator in graph.topology.operators:
        # The draft's own form of the operator: its inputs may have been rewired since.
        match draft.producer(operator.output):
            case Identity() as idle:
                draft.bypass(idle, idle.input)
            case Reshape() as idle if draft.shape(idle.input) == draft.shape(idle.output):
                draft.bypass(idle, idle.input)
            case Pad2D() as idle if not idle.padding:
                draft.bypass(idle, idle.input)
            case Relu() as idle if not idle.activation:
                draft.bypass(idle, idle.input)
            case _:
                pass
    return draft.finish()
