"""A topology as JSON and a FloatGraph as an .npz: how one command hands a graph to the next.

The JSON names each operator's kind and fields, so that a person can read it; the reader builds the same frozen
dataclasses again and takes nothing else.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import UsageError
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.given import GivenIntegers, is_given
from sq_micro.ir.operators import ActivationFunction, Operator, Pad, kind
from sq_micro.ir.topology import Role, TensorSpec, Topology
from sq_micro.paths import write_atomically

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same graph gives the same bytes
_OPERATORS: dict[str, Any] = {operator_type.__name__: operator_type for operator_type in get_args(Operator)}
_DOCUMENT = "document.json"


def topology_document(topology: Topology) -> dict[str, Any]:
    """A topology as plain JSON values."""
    return {
        "name": topology.name,
        "input": topology.input,
        "output": topology.output,
        "tensors": [[spec.name, list(spec.shape), spec.role.value] for spec in topology.tensors.values()],
        "operators": [{"type": type(op).__name__, "kind": kind(op), **asdict(op)} for op in topology.operators],
    }


def topology_from(document: Mapping[str, Any]) -> Topology:
    """The inverse of `topology_document`. Raises KeyError, TypeError or ValueError iff it is no such document."""
    specs = [TensorSpec(name, tuple(shape), Role(role)) for name, shape, role in document["tensors"]]
    return Topology(
        name=document["name"],
        tensors={spec.name: spec for spec in specs},
        operators=tuple(_operator(entry) for entry in document["operators"]),
        input=document["input"],
        output=document["output"],
    )


def _operator(entry: Mapping[str, Any]) -> Operator:
    operator_type = _OPERATORS[entry["type"]]
    values = {field.name: _field(field.name, entry[field.name]) for field in fields(operator_type)}
    operator: Operator = operator_type(**values)
    return operator


def _field(name: str, value: Any) -> Any:
    if name == "padding":
        return Pad(**value)
    if name == "activation":
        return ActivationFunction(**value)
    return tuple(value) if isinstance(value, list) else value


def save_archive(file: Path, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a JSON document and arrays as one .npz, whole or not at all; equal contents give equal bytes."""
    write_arrays(file, arrays, {_DOCUMENT: json.dumps(document, indent=1)})


def write_arrays(file: Path, arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str] | None = None) -> None:
    """Write arrays, and texts before them, as one .npz, whole or not at all; equal contents give equal bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, text in (texts or {}).items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text)
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), entry.getvalue())
    write_atomically(file, stream.getvalue())


def load_archive(file: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what `save_archive` wrote. Raises UsageError iff the file is missing or something else."""
    try:
        with zipfile.ZipFile(file) as archive:
            document = json.loads(archive.read(_DOCUMENT))
            arrays = {
                name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
                for name in archive.namelist()
                if name.endswith(".npy")
            }
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"{file}: is not a graph that sq-micro wrote ({error}); run the stage before it again"
        ) from error
    return document, arrays


def save_float_graph(graph: FloatGraph, file: Path) -> None:
    """Write topology and constants, and the integers that are given."""
    document = {"topology": topology_document(graph.topology), "input_shape": list(graph.input_shape)}
    arrays: dict[str, NDArray[Any]] = dict(graph.constants)
    if graph.given is not None:
        document["given"] = graph.given.document()
        arrays |= graph.given.arrays()
    save_archive(file, document, arrays)


def load_float_graph(file: Path) -> FloatGraph:
    """Raises UsageError iff the file is missing or not what `save_float_graph` wrote."""
    document, arrays = load_archive(file)
    try:
        given = GivenIntegers.of(document["given"], arrays) if "given" in document else None
        constants = {name: array for name, array in arrays.items() if not is_given(name)}
        return FloatGraph(topology_from(document["topology"]), constants, tuple(document["input_shape"]), given)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{file}: is not a graph of this sq-micro ({error!r}); run the stage before it again"
        ) from error
