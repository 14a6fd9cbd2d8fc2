"""QuantGraph → .tflite: the same integers, with weights of every width widened to int8."""

from __future__ import annotations

from sq_micro.quant.graph import QuantGraph
from sq_micro.tflite.lower import lower
from sq_micro.tflite.model import serialize


def write_tflite(graph: QuantGraph) -> bytes:
    """The int8 TFLite flatbuffer that computes what `graph` computes.

    Weights are per output channel with zero point 0 (one scale where a Dense has one unit); tensors keep
    their names. The bytes depend on the graph alone.
    Raises GraphError iff the graph holds what TFLite cannot compute.
    """
    return serialize(lower(graph))
