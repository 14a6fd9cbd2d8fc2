"""Runs a QuantGraph on samples, in exact integer arithmetic: `run(graph, graph.quantize_input(samples))`."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from sq_micro.errors import GraphError
from sq_micro.ir.operators import Conv2D, DepthwiseConv2D, Operator, operator_inputs
from sq_micro.ir.topology import Topology
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.operators import Compute, prepare

MEMORY_BYTES = 256 << 20
_FLOAT_BYTES = 8
_LARGEST_BATCH = 32  # beyond, larger matrices gain nothing and leave the cache

Observe = Callable[[Operator, Int8Array], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Step:
    operator: Operator
    inputs: tuple[str, ...]
    compute: Compute
    dead: tuple[str, ...]  # tensors that nothing reads any more


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A graph prepared for running; a sample takes at most `sample_bytes` while it runs."""

    topology: Topology
    steps: tuple[_Step, ...]
    sample_bytes: int

    @classmethod
    def prepare(cls, graph: QuantGraph) -> Interpreter:
        """Prepare each operator of a graph once."""
        topology = graph.topology
        last_use = {tensor: op.name for op in topology.operators for tensor in operator_inputs(op)}
        steps = tuple(
            _Step(
                operator,
                operator_inputs(operator),
                prepare(operator, graph),
                tuple(
                    tensor
                    for tensor in dict.fromkeys(operator_inputs(operator))
                    if last_use[tensor] == operator.name and tensor != topology.output
                ),
            )
            for operator in topology.operators
        )
        return cls(topology, steps, _working_bytes(topology))

    def batch(self, workers: int = 1) -> int:
        """How many samples each worker may run at a time so that all stay within MEMORY_BYTES together."""
        return min(_LARGEST_BATCH, max(1, MEMORY_BYTES // (workers * self.sample_bytes)))

    def run_batch(self, codes: Int8Array, observe: Observe | None = None) -> Int8Array:
        """All samples at once; `observe` sees each operator's output (n, *shape) in execution order."""
        live = {self.topology.input: np.ascontiguousarray(codes)}
        for step in self.steps:
            result = step.compute(*(live[tensor] for tensor in step.inputs))
            if observe is not None:
                observe(step.operator, result)
            for tensor in step.dead:
                del live[tensor]
            live[step.operator.output] = result
        return live[self.topology.output]


def run(graph: QuantGraph, codes: Int8Array, observe: Observe | None = None) -> Int8Array:
    """Output codes (n, *output shape) of input codes (n, *NHWC shape).

    observe  called with each operator and its output codes (m, *shape); once per operator and batch of samples.
    Raises GraphError iff the codes do not have the input's shape.
    """
    interpreter = Interpreter.prepare(graph)
    output = _checked_output(graph, codes)
    batch = interpreter.batch()
    for first in range(0, len(codes), batch):
        chunk = slice(first, first + batch)
        output[chunk] = interpreter.run_batch(codes[chunk], observe)
    return output


def run_parallel(
    graph: QuantGraph, codes: Int8Array, threads: int | None = None, progress: Progress | None = None
) -> Int8Array:
    """`run` over batches in threads, one per core unless told: NumPy releases the interpreter lock in its loops.

    progress  called with (samples done, samples) after each batch, from the calling thread.
    """
    interpreter = Interpreter.prepare(graph)
    output = _checked_output(graph, codes)
    workers = threads or os.cpu_count() or 1
    batch = max(1, min(interpreter.batch(workers), -(-len(codes) // workers)))
    chunks = [slice(first, min(first + batch, len(codes))) for first in range(0, len(codes), batch)]

    def run_chunk(chunk: slice) -> int:
        output[chunk] = interpreter.run_batch(codes[chunk])
        return int(chunk.stop - chunk.start)

    done = 0
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        for finished in as_completed([pool.submit(run_chunk, chunk) for chunk in chunks]):
            done += finished.result()
            if progress is not None:
                progress(done, len(codes))
    return output


def one_blas_thread() -> AbstractContextManager[object]:
    """Keeps the matrix products of several threads from taking the cores from each other.

    It takes the package `threadpoolctl`; without it the results are the same and come later.
    """
    try:
        limits: AbstractContextManager[object] = import_module("threadpoolctl").threadpool_limits(1)
    except ImportError:
        return nullcontext()
    return limits


def _checked_output(graph: QuantGraph, codes: Int8Array) -> Int8Array:
    topology = graph.topology
    expected = topology.shape(topology.input)[1:]
    if codes.shape[1:] != expected or codes.dtype != np.int8:
        raise GraphError(topology.input, f"inputs are int8 (n, {expected}), not {codes.dtype} {codes.shape}")
    return np.empty((len(codes), *topology.shape(topology.output)[1:]), np.int8)


def _working_bytes(topology: Topology) -> int:
    """An upper bound of the bytes that one sample takes: all activations, and the largest layer's scratch."""
    activations = sum(topology.elements(op.output) for op in topology.operators) + topology.elements(topology.input)
    return activations + max((_scratch_elements(op, topology) for op in topology.operators), default=0) * _FLOAT_BYTES


def _scratch_elements(operator: Operator, topology: Topology) -> int:
    """Numbers in floating point, or as wide, that an operator holds for one sample."""
    output = topology.elements(operator.output)
    inputs = sum(topology.elements(tensor) for tensor in operator_inputs(operator))
    match operator:
        case Conv2D():
            height, width, _ = topology.image_shape(operator.output)
            per_channel = topology.elements(operator.weights) // topology.shape(operator.weights)[0]
            return height * width * per_channel + 2 * inputs + output
        case DepthwiseConv2D():
            return 2 * output + (2 + operator.depth_multiplier) * inputs
        case _:
            return 4 * (inputs + output)
