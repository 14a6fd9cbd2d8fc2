"""Golden outputs held against TFLite Micro: on the twin that we write, and on an int8 model's own file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sq_micro.errors import ToolchainError
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.golden_vectors import GoldenVectors, require_equal
from sq_micro.reference.interpreter import run
from sq_micro.tflite.twin import oracle_version, run_tflite_micro, run_tflite_micro_file, run_tflite_micro_tensors

_OWN_REFERENCE = "sq-micro reference (the tflite-micro wheel is not installed)"


def check_against_oracle(graph: QuantGraph, twin: bytes, golden: GoldenVectors) -> str:
    """The oracle's name, after its outputs were found equal to the golden ones.

    Raises GoldenMismatchError naming the first operator whose output differs.
    """
    try:
        oracle = oracle_version()
    except ToolchainError:
        return _OWN_REFERENCE
    outputs = run_tflite_micro(twin, golden.inputs).reshape(golden.outputs.shape)
    differing = np.flatnonzero((outputs != golden.outputs).reshape(len(golden), -1).any(axis=1))
    if differing.size:
        _locate(graph, twin, golden.inputs[differing[0]])
        require_equal(graph.topology.operators[-1].name, golden.outputs, outputs)
    return oracle


def _locate(graph: QuantGraph, twin: bytes, sample: Int8Array) -> None:
    """Raise for the first operator whose codes differ on one sample."""
    names = [operator.output for operator in graph.topology.operators]
    expected = run_tflite_micro_tensors(twin, sample, names)

    def compare(operator_name: str, tensor: str, codes: Int8Array) -> None:
        require_equal(operator_name, codes, expected[tensor].reshape(codes.shape))

    run(graph, sample[None], lambda operator, codes: compare(operator.name, operator.output, codes))


def check_against_file(graph: QuantGraph, file: Path, golden: GoldenVectors) -> str | None:
    """Hold golden outputs against those of the int8 model's own file, whose integers `graph` has all taken over.

    Returns the oracle's name; None without the oracle. Raises GoldenMismatchError iff an output differs.
    """
    try:
        oracle = oracle_version()
    except ToolchainError:
        return None
    outputs = run_tflite_micro_file(file.read_bytes(), golden.inputs, graph.input_params, graph.output_params)
    require_equal(graph.topology.operators[-1].name, golden.outputs, outputs.reshape(golden.outputs.shape))
    return f"{oracle} on the model's own file"
