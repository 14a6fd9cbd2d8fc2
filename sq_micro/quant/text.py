"""A QuantGraph as a table that a person can read: the artefact 06_quantized.txt."""

from __future__ import annotations

from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, kind
from sq_micro.ir.text import columns
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.graph import QuantGraph


def quant_graph_text(graph: QuantGraph) -> str:
    """One line an operator: bits, what the output codes mean, the range of weight scales and of shifts."""
    rows = [("#", "operator", "kind", "bits", "output means", "weight scales", "clamp", "shifts")]
    for index, operator in enumerate(graph.topology.operators):
        bits = scales = clamp = shifts = ""
        if isinstance(operator, Conv2D | DepthwiseConv2D | Dense):
            params = graph.weights[operator.weights]
            bits = str(params.bits)
            scales = f"{params.scale.min():.3g}..{params.scale.max():.3g}"
            arithmetic = graph.arithmetic[operator.name]
            assert isinstance(arithmetic, ChannelRequantization)
            clamp = f"{arithmetic.minimum}..{arithmetic.maximum}"
            shifts = f"{arithmetic.shift.min()}..{arithmetic.shift.max()}"
        means = str(graph.activations[operator.output])
        rows.append((str(index), operator.name, kind(operator), bits, means, scales, clamp, shifts))
    head = f"{graph.topology.name}: input means {graph.input_params}, model hash {graph.digest().hex()}"
    return head + "\n" + columns(rows)
