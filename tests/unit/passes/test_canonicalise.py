"""Every pass keeps what a graph computes; after the last, quantization takes what is left."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sq_micro.errors import ModelError
from sq_micro.frontend.keras_model import import_model
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.operators import ChannelAffine, Identity, Relu, operator_constants, operator_inputs
from sq_micro.ir.topology import Role
from sq_micro.passes import CANONICALISE, Pass, canonicalise
from tests.unit.frontend.keras_dags import random_model
from tests.unit.frontend.keras_models import (
    assert_close,
    functional,
    keras,
    randomise,
    run_graph,
    run_keras,
    samples_for,
)
from tests.unit.passes.float_graphs import Graph, assert_same_meaning, float_graphs, operators_of

L = keras.layers
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("step", CANONICALISE, ids=lambda step: step.__name__)
@QUICK
@given(graph=float_graphs())
def test_each_pass_keeps_the_meaning(step: Pass, graph: FloatGraph) -> None:
    assert_same_meaning(graph, step(graph))


@QUICK
@given(graph=float_graphs())
def test_the_canonical_graph_means_the_same(graph: FloatGraph) -> None:
    canonical = canonicalise(graph)
    assert_same_meaning(graph, canonical)
    assert not operators_of(canonical, ChannelAffine)
    assert not operators_of(canonical, Identity)


@QUICK
@given(graph=float_graphs())
def test_nothing_unused_is_left(graph: FloatGraph) -> None:
    topology, constants = (canonical := canonicalise(graph)).topology, canonical.constants
    read = {name for op in topology.operators for name in (*operator_inputs(op), *operator_constants(op))}
    assert set(topology.tensors) == read | {topology.output, topology.input}
    assert set(constants) == {name for op in topology.operators for name in operator_constants(op)}
    assert [spec.name for spec in topology.tensors.values() if spec.role is Role.OUTPUT] == [topology.output]


@QUICK
@given(graph=float_graphs())
def test_a_canonical_graph_stays_as_it_is(graph: FloatGraph) -> None:
    once = canonicalise(graph)
    assert canonicalise(once).topology == once.topology


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_keras_models_compute_what_keras_does(data: st.DataObject) -> None:
    model = random_model(data.draw)
    samples = samples_for(model)
    assert_close(run_graph(canonicalise(import_model(model)), samples), run_keras(model, samples))


def test_mobilenet_is_convolutions_alone() -> None:
    model = randomise(keras.applications.MobileNet((96, 96, 3), alpha=0.25, weights=None))
    graph, samples = canonicalise(import_model(model)), samples_for(model)
    assert_close(run_graph(graph, samples), run_keras(model, samples))
    kinds = [type(operator).__name__ for operator in graph.topology.operators]
    assert kinds == ["Conv2D", *["DepthwiseConv2D", "Conv2D"] * 13, "Mean", "Reshape", "Conv2D", "Reshape", "Softmax"]


def test_layers_that_do_nothing_at_all_make_no_model() -> None:
    model = functional((4, 4, 1), L.Dropout(0.5), L.Reshape((4, 4, 1)), name="idle")
    with pytest.raises(ModelError, match="model 'idle' computes nothing"):
        canonicalise(import_model(model))


def test_trace_sees_every_pass_in_order() -> None:
    graph, seen = Graph((4, 4, 2)), []
    canonicalise(
        graph.build(graph.relu(graph.input)), lambda name, after: seen.append((name, len(operators_of(after, Relu))))
    )
    assert seen == [(step.__name__, 1) for step in CANONICALISE]
