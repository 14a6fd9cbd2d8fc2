"""What is left of batch normalisation and rescaling becomes an operator that quantization knows."""

from __future__ import annotations

from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import ChannelAffine, DepthwiseConv2D, Reshape
from sq_micro.ir.topology import Role
from sq_micro.passes.draft import Draft


def replace_channel_affine(graph: FloatGraph) -> FloatGraph:
    """Put a 1×1 DepthwiseConv2D of the same name in place of each ChannelAffine; a vector is taken as one pixel."""
    draft = Draft(graph)
    for operator in graph.topology.operators:
        if isinstance(operator, ChannelAffine):
            _replace(draft, operator)
    return draft.finish()


def _replace(draft: Draft, affine: ChannelAffine) -> None:
    name, shape = affine.name, draft.shape(affine.input)
    scale, offset = draft.constant(affine.scale), draft.constant(affine.offset)
    weights = draft.add_constant(f"{name}/kernel", scale.reshape(1, 1, 1, -1), Role.WEIGHTS)
    bias = draft.add_constant(f"{name}/bias", offset, Role.BIAS)
    if len(shape) == 4:
        draft.replace(affine, DepthwiseConv2D(name, affine.input, weights, bias, affine.output))
        return
    pixel = (1, 1, 1, shape[-1])
    before = draft.add_tensor(f"{name}_pixel", pixel)
    behind = draft.add_tensor(f"{name}_scaled", pixel)
    draft.replace(
        affine,
        Reshape(before, affine.input, before),
        DepthwiseConv2D(name, before, weights, bias, behind),
        Reshape(f"{behind}_vector", behind, affine.output),
    )
