"""QuantGraph → a smaller .tflite for stock TFLite Micro: weights in its native int4 where it runs that, exactly.

TFLite Micro (wheel of 2026-10) takes int4 weights of CONV_2D with a scale per channel; of FULLY_CONNECTED and
DEPTHWISE_CONV_2D with one scale for all, which ours have only where there is one channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sq_micro.ir.operators import Conv2D, Dense, WeightedOperator
from sq_micro.quant.graph import QuantGraph
from sq_micro.tflite.lower import lower
from sq_micro.tflite.model import Model, Operation, serialize

INT4_BITS = 4
_INT4 = (-8, 7)
_VERSIONS = {"CONV_2D": 7, "FULLY_CONNECTED": 7}  # which first took int4 weights


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """How the file stores an operator's weights of `bits` bits; `reason` is why 8 where int4 would have been enough."""

    operator: str
    bits: int
    stored_bits: int
    reason: str


def write_compact_tflite(graph: QuantGraph) -> tuple[bytes, tuple[StoredWeights, ...]]:
    """The flatbuffer, whose outputs are those of `write_tflite`, and what became of each operator's weights."""
    stored = tuple(_stored(graph, operator) for operator in graph.topology.weighted())
    narrow = {
        operator.weights
        for operator, found in zip(graph.topology.weighted(), stored, strict=True)
        if found.stored_bits == INT4_BITS
    }
    model = lower(graph)
    for name in narrow:
        model.tensors[name] = replace(model.tensors[name], type="INT4")
    model.operations = list(_versioned(model, narrow))
    return serialize(model), stored


def _versioned(model: Model, narrow: set[str]) -> Iterator[Operation]:
    for operation in model.operations:
        is_narrow = any(name in narrow for name in operation.inputs)
        yield replace(operation, version=_VERSIONS[operation.code]) if is_narrow else operation


def _stored(graph: QuantGraph, operator: WeightedOperator) -> StoredWeights:
    bits = graph.bitwidths.weights[operator.name]
    reason = "" if bits > INT4_BITS else _obstacle(graph, operator)
    stored_bits = INT4_BITS if bits <= INT4_BITS and not reason else 8
    return StoredWeights(operator.name, bits, stored_bits, reason)


def _obstacle(graph: QuantGraph, operator: WeightedOperator) -> str:
    """Why TFLite Micro cannot hold an operator's weights as int4; empty where it can."""
    params = graph.weights[operator.weights]
    if not isinstance(operator, Conv2D) and not (isinstance(operator, Dense) and len(params.scale) == 1):
        word = "FULLY_CONNECTED" if isinstance(operator, Dense) else "DEPTHWISE_CONV_2D"
        return f"{word} takes int4 with one scale for all channels only"
    rows = np.moveaxis(graph.codes[operator.weights], params.axis, 0).reshape(len(params.scale), -1)
    beyond = int(((rows < _INT4[0]) | (rows > _INT4[1])).any(axis=1).sum())
    return f"{beyond} of {len(rows)} channels hold weights beyond {_INT4[0]} … {_INT4[1]}" if beyond else ""
