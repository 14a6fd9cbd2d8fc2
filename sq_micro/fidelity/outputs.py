"""The noise in every operator's output, with all that the operators before it have brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log10, sqrt

import numpy as np
from numpy.typing import NDArray

from sq_micro.ir import evaluate
from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.operators import Operator, Reshape
from sq_micro.quant.calibrate import SampleSource
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.quant.sharing import own_constants
from sq_micro.reference.interpreter import Interpreter


@dataclass
class Noise:
    """Sums over all values seen of a tensor y and its quantized self ŷ."""

    signal: float = 0.0
    noise: float = 0.0
    quantized: float = 0.0
    product: float = 0.0

    def add(self, real: NDArray[np.floating], quantized: NDArray[np.floating]) -> None:
        """Both of the same shape."""
        y, found = np.asarray(real, np.float64).ravel(), np.asarray(quantized, np.float64).ravel()
        self.signal += float(y @ y)
        self.noise += float(((y - found) ** 2).sum())
        self.quantized += float(found @ found)
        self.product += float(y @ found)

    @property
    def sqnr_db(self) -> float | None:
        """10 log10(Σ y² / Σ (y − ŷ)²); None where either sum is 0."""
        return 10.0 * log10(self.signal / self.noise) if self.signal > 0 and self.noise > 0 else None

    @property
    def cosine(self) -> float | None:
        """Σ yŷ / √(Σy² Σŷ²); None where either is nothing."""
        length = sqrt(self.signal) * sqrt(self.quantized)
        return min(1.0, max(-1.0, self.product / length)) if length > 0 else None


@dataclass(frozen=True, slots=True)
class OutputFidelity:
    """One operator's output; see `Noise`."""

    operator: str
    sqnr_db: float | None
    cosine: float | None


def float_twin(graph: FloatGraph, quantized: QuantGraph) -> FloatGraph:
    """The float network with the operators of the quantized one, so that each tensor of one is in the other."""
    return replace(own_constants(graph), topology=quantized.topology)


def output_fidelity(graph: FloatGraph, quantized: QuantGraph, samples: SampleSource) -> tuple[OutputFidelity, ...]:
    """Every operator that computes something, in execution order, over all samples."""
    twin = float_twin(graph, quantized)
    sums = {operator.name: Noise() for operator in quantized.topology.operators if not isinstance(operator, Reshape)}
    interpreter = Interpreter.prepare(quantized)
    for real in batches(samples, interpreter.batch()):
        tensors = float_tensors(twin, real)

        def see(operator: Operator, codes: Int8Array, tensors: dict[str, Float32Array] = tensors) -> None:
            if operator.name in sums:
                found = quantized.activations[operator.output].dequantize(codes)
                sums[operator.name].add(tensors[operator.output], found)

        interpreter.run_batch(quantized.quantize_input(real), see)
    return tuple(OutputFidelity(name, found.sqnr_db, found.cosine) for name, found in sums.items())


def float_tensors(graph: FloatGraph, real: Float32Array) -> dict[str, Float32Array]:
    """Every activation of the float network, by name, for samples (n, *input_shape)."""
    tensors: dict[str, Float32Array] = {}
    evaluate.run(graph, real.reshape(-1, *graph.topology.shape(graph.topology.input)[1:]), tensors.__setitem__)
    return tensors


def batches(samples: SampleSource, size: int) -> Iterator[Float32Array]:
    """Real samples, `size` at a time."""
    for start in range(0, len(samples), size):
        yield np.asarray(samples.real(start, start + size), np.float32)
