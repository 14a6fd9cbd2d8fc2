"""Inputs with the outputs that every implementation of a graph must give, and how a difference is reported."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sq_micro.errors import DataError, GoldenMismatchError
from sq_micro.ir.storage import write_arrays
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.interpreter import run


@dataclass(frozen=True, slots=True)
class GoldenVectors:
    """inputs (n, *NHWC) and outputs (n, *shape), int8 codes; model_hash is the graph's digest."""

    inputs: Int8Array
    outputs: Int8Array
    model_hash: bytes

    def __post_init__(self) -> None:
        for field in ("inputs", "outputs"):
            array = np.array(getattr(self, field), dtype=np.int8, order="C")
            array.flags.writeable = False
            object.__setattr__(self, field, array)

    def __len__(self) -> int:
        return len(self.inputs)

    def __str__(self) -> str:
        shapes = f"{self.inputs.shape[1:]} -> {self.outputs.shape[1:]}"
        return f"{len(self)} golden vectors {shapes} of model {self.model_hash.hex()[:16]}"

    def save(self, file: Path) -> None:
        """Write an .npz whose bytes depend on the contents alone."""
        hashed = np.frombuffer(self.model_hash, np.uint8)
        write_arrays(file, {"inputs": self.inputs, "outputs": self.outputs, "model_hash": hashed})

    @classmethod
    def load(cls, file: Path) -> GoldenVectors:
        """Raises DataError iff the file is missing or not what `save` wrote."""
        try:
            with np.load(file, allow_pickle=False) as arrays:
                inputs, outputs, hashed = (arrays[name] for name in ("inputs", "outputs", "model_hash"))
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(file, f"not a file of golden vectors ({error})") from error
        if inputs.dtype != np.int8 or outputs.dtype != np.int8 or len(inputs) != len(outputs):
            raise DataError(file, "golden vectors are int8, as many inputs as outputs")
        return cls(inputs, outputs, hashed.astype(np.uint8).tobytes())


def make_golden_vectors(graph: QuantGraph, codes: Int8Array) -> GoldenVectors:
    """Golden vectors of input codes (n, *NHWC) as the reference computes them."""
    return GoldenVectors(codes, run(graph, codes), graph.digest())


def first_difference(got: Int8Array, expected: Int8Array, operator: str = "output") -> GoldenMismatchError | None:
    """The error to raise where two arrays of one shape differ, None where they do not. Its index is a flat one.

    >>> first_difference(np.array([1, 2], np.int8), np.array([1, 3], np.int8)).index
    1
    """
    differing = np.flatnonzero(got.ravel() != expected.ravel())
    if differing.size == 0:
        return None
    index = int(differing[0])
    return GoldenMismatchError(
        operator, index, int(got.ravel()[index]), int(expected.ravel()[index]), int(differing.size)
    )


def require_equal(operator: str, got: Int8Array, expected: Int8Array) -> None:
    """Raises GoldenMismatchError iff codes differ, in shape or in value."""
    if got.shape != expected.shape:
        raise GoldenMismatchError(operator, 0, got.size, expected.size, abs(got.size - expected.size))
    if difference := first_difference(got, expected, operator):
        raise difference
