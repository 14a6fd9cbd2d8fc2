"""Inputs with the outputs that every implementation of a graph must give, and how a difference is reported."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sq_micro.errors import DataError, GoldenMismatchError
from sq_micro.paths import write_atomically
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.interpreter import run

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip holds: the bytes must not depend on the day


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
        stream = io.BytesIO()
        hashed = np.frombuffer(self.model_hash, np.uint8)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, array in (("inputs", self.inputs), ("outputs", self.outputs), ("model_hash", hashed)):
                entry = io.BytesIO()
                np.lib.format.write_array(entry, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), entry.getvalue())
        write_atomically(file, stream.getvalue())

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


def require_equal(operator: str, got: Int8Array, expected: Int8Array) -> None:
    """Raises GoldenMismatchError iff codes of one shape differ; its index counts through the flattened arrays."""
    if got.shape != expected.shape:
        raise GoldenMismatchError(operator, 0, got.size, expected.size, abs(got.size - expected.size))
    different = np.flatnonzero(got.reshape(-1) != expected.reshape(-1))
    if different.size:
        first = int(different[0])
        values = int(got.reshape(-1)[first]), int(expected.reshape(-1)[first])
        raise GoldenMismatchError(operator, first, *values, int(different.size))
