"""One Reshape where several follow each other."""

from __future__ import annotations

from dataclasses import replace

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import Reshape
from sq_micro.passes.draft import Draft


def collapse_reshapes(graph: FloatGraph) -> FloatGraph:
    """Let each Reshape read what the first of its chain reads; remove those that lead back to the same shape."""
    draft = Draft(graph)
    for operator in graph.topology.operators:
        last = draft.producer(operator.output)
        if not isinstance(last, Reshape):
            continue
        source = last.input
        # In execution order every chain before this one is collapsed already: one step is enough.
        if isinstance(before := draft.producer(source), Reshape):
            source = before.input
        if draft.shape(source) == draft.shape(last.output):
            draft.bypass(last, source)
        else:
            draft.replace(last, replace(last, input=source))
    return draft.finish()
