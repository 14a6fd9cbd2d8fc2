"""The model hash: it changes with everything that decides the outputs, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import pytest

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.topology import TensorSpec
from sq_micro.quant.arithmetic import ChannelRequantization
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams, WeightParams
from tests.models.random_quant_graph import RandomQuantGraph

T = TypeVar("T")


def small_graph(seed: int = 11) -> QuantGraph:
    builder = RandomQuantGraph(seed, (5, 5, 2))
    x = builder.conv2d(builder.input, 3, bits=4)
    return builder.build(builder.softmax(builder.dense(builder.mean(x), 4, bits=2)))


GRAPH = small_graph()
CONV, DENSE = (operator for operator in GRAPH.topology.weighted())


def changed(mapping: Mapping[str, T], key: str, change: Callable[[T], T]) -> dict[str, T]:
    return {**mapping, key: change(mapping[key])}


def bumped(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy.reshape(-1)[-1] += 1
    return copy


def with_operator(wanted: str, **field: Any) -> dict[str, Any]:
    operators = tuple(replace(op, **field) if op.name == wanted else op for op in GRAPH.topology.operators)
    return {"topology": replace(GRAPH.topology, operators=operators)}


def with_tensor(name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    tensors = changed(GRAPH.topology.tensors, name, lambda spec: TensorSpec(spec.name, shape, spec.role))
    return {"topology": replace(GRAPH.topology, tensors=tensors)}


def coarser(params: WeightParams) -> WeightParams:
    return replace(params, scale=params.scale * np.float32(1.0000002))


def other_multiplier(derived: Any) -> ChannelRequantization:
    return replace(derived, multiplier=bumped(derived.multiplier))


CHANGES: dict[str, dict[str, Any]] = {
    "stride": with_operator(CONV.name, stride=(2, 1)),
    "operator name": with_operator(CONV.name, name="another"),
    "tensor shape": with_tensor(GRAPH.topology.output, (1, 2, 2)),
    "output tensor": {"topology": replace(GRAPH.topology, output=DENSE.output)},
    "input shape": {"input_shape": (25, 2)},
    "bitwidths": {"bitwidths": Bitwidths({**GRAPH.bitwidths.weights, CONV.name: 5})},
    "activation scale": {
        "activations": changed(
            GRAPH.activations, CONV.output, lambda p: ActivationParams(p.scale * 1.001, p.zero_point)
        )
    },
    "zero point": {
        "activations": changed(GRAPH.activations, CONV.output, lambda p: replace(p, zero_point=p.zero_point ^ 1))
    },
    "weight scale": {"weights": changed(GRAPH.weights, DENSE.weights, coarser)},
    "weight bits": {"weights": changed(GRAPH.weights, DENSE.weights, lambda p: replace(p, bits=3))},
    "weight": {"codes": changed(GRAPH.codes, CONV.weights, bumped)},
    "bias": {"biases": changed(GRAPH.biases, DENSE.bias, bumped)},
    "levels": {"levels": changed(GRAPH.levels, DENSE.weights, lambda levels: -levels)},
    "multiplier": {"arithmetic": changed(GRAPH.arithmetic, CONV.name, other_multiplier)},
    "shift": {
        "arithmetic": changed(GRAPH.arithmetic, GRAPH.topology.operators[-1].name, lambda a: replace(a, shift=1))
    },
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_digest_changes_with(what: str) -> None:
    assert replace(GRAPH, **CHANGES[what]).digest() != GRAPH.digest()


def test_every_field_is_among_the_changes() -> None:
    assert {field for change in CHANGES.values() for field in change} == {field.name for field in fields(QuantGraph)}


def test_the_digest_is_the_same_for_the_same_graph() -> None:
    assert small_graph().digest() == GRAPH.digest()
    assert len(GRAPH.digest()) == 32


def test_the_digest_knows_nothing_of_the_order_in_which_things_were_written_down() -> None:
    def reversed_(mapping: Mapping[str, T]) -> dict[str, T]:
        return dict(reversed(mapping.items()))

    names = ("activations", "weights", "codes", "biases", "levels", "arithmetic")
    topology = replace(GRAPH.topology, tensors=reversed_(GRAPH.topology.tensors))
    other = replace(GRAPH, topology=topology, **{name: reversed_(getattr(GRAPH, name)) for name in names})
    assert other.digest() == GRAPH.digest()


def test_a_graph_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        GRAPH.codes[CONV.weights][0] = 1
    assert isinstance(GRAPH.codes, MappingProxyType)


def test_samples_are_quantized_into_the_networks_own_shape() -> None:
    graph = replace(GRAPH, input_shape=(25, 2))
    codes = graph.quantize_input(np.zeros((3, 25, 2), np.float32))
    assert codes.shape == (3, 5, 5, 2)
    assert (codes == graph.input_params.zero_point).all()
