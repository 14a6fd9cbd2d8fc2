"""Compares the reference with TFLite Micro, and says where a difference starts."""

from __future__ import annotations

import numpy as np

from sq_micro.ir.operators import Operator
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.golden_vectors import require_equal
from sq_micro.reference.interpreter import run
from sq_micro.tflite.export import write_tflite
from sq_micro.tflite.twin import run_tflite_micro, run_tflite_micro_tensors


def require_tflm(graph: QuantGraph, codes: Int8Array) -> Int8Array:
    """The outputs of the reference; GoldenMismatchError names the first operator that differs from TFLite Micro."""
    got = run(graph, codes)
    expected = run_tflite_micro(write_tflite(graph), codes)
    if not np.array_equal(got, expected):
        different = np.flatnonzero((got != expected).reshape(len(codes), -1).any(axis=1))
        require_tflm_everywhere(graph, codes[different[:1]])
        require_equal(graph.topology.output, got, expected)
    return got


def require_tflm_everywhere(graph: QuantGraph, codes: Int8Array) -> None:
    """Compares every operator's output, not just the last."""
    model = write_tflite(graph)
    for sample in codes:
        outputs: dict[str, tuple[Operator, Int8Array]] = {}

        def observe(
            operator: Operator, output: Int8Array, seen: dict[str, tuple[Operator, Int8Array]] = outputs
        ) -> None:
            seen[operator.output] = (operator, output)

        run(graph, sample[None], observe)
        expected = run_tflite_micro_tensors(model, sample, outputs)
        for tensor, (operator, output) in outputs.items():
            require_equal(operator.name, output.reshape(expected[tensor].shape), expected[tensor])
