"""A QuantGraph as an .npz. Fixed-point constants are not stored: they follow from the scales, by one rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sq_micro.errors import UsageError
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.storage import load_archive, save_archive, topology_document, topology_from
from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.quant.params import ActivationParams, WeightParams

_KINDS = ("codes", "biases", "levels", "scales")


def save_quant_graph(graph: QuantGraph, file: Path) -> None:
    """Write a graph; the model hash goes with it, so that a reader can tell that it got the same one."""
    document = {
        "topology": topology_document(graph.topology),
        "input_shape": list(graph.input_shape),
        "bits": dict(graph.bitwidths.weights),
        "activations": {
            name: [params.scale.hex(), params.zero_point, params.bits] for name, params in graph.activations.items()
        },
        "weights": {name: [params.bits, params.axis] for name, params in graph.weights.items()},
        "model_hash": graph.digest().hex(),
    }
    arrays: dict[str, NDArray[Any]] = {}
    scales = {name: params.scale for name, params in graph.weights.items()}
    groups: tuple[Mapping[str, NDArray[Any]], ...] = (graph.codes, graph.biases, graph.levels, scales)
    for kind, values in zip(_KINDS, groups, strict=True):
        arrays |= {f"{kind}/{name}": array for name, array in values.items()}
    save_archive(file, document, arrays)


def load_quant_graph(file: Path) -> QuantGraph:
    """Raises UsageError iff the file is missing, is not what `save_quant_graph` wrote, or was changed since."""
    document, arrays = load_archive(file)
    try:
        graph = _graph(document, arrays)
        unchanged = graph.digest().hex() == document["model_hash"]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{file}: is not a graph of this sq-micro ({error!r}); run the stage before it again"
        ) from error
    if not unchanged:
        raise UsageError(f"{file}: its numbers do not match its hash; run `sq-micro quantize` again")
    return graph


def _graph(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> QuantGraph:
    by_kind: dict[str, dict[str, NDArray[Any]]] = {kind: {} for kind in _KINDS}
    for path, array in arrays.items():
        kind, _, name = path.partition("/")
        by_kind[kind][name] = array
    topology = topology_from(document["topology"])
    activations = {
        name: ActivationParams(float.fromhex(scale), int(zero_point), int(bits))
        for name, (scale, zero_point, bits) in document["activations"].items()
    }
    weights = {
        name: WeightParams(by_kind["scales"][name], int(bits), int(axis))
        for name, (bits, axis) in document["weights"].items()
    }
    derived = ((op.name, derive_arithmetic(op, topology, activations, weights)) for op in topology.operators)
    return QuantGraph(
        topology=topology,
        bitwidths=Bitwidths(document["bits"], {name: params.bits for name, params in activations.items()}),
        activations=activations,
        weights=weights,
        codes=by_kind["codes"],
        biases=by_kind["biases"],
        levels=by_kind["levels"],
        arithmetic={name: arithmetic for name, arithmetic in derived if arithmetic is not None},
        input_shape=tuple(document["input_shape"]),
    )
