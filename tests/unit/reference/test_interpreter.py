from __future__ import annotations

import numpy as np
import pytest

from sq_micro.errors import GraphError
from sq_micro.ir.operators import Operator
from sq_micro.quant.params import Int8Array
from sq_micro.reference import interpreter
from sq_micro.reference.interpreter import Interpreter, run, run_parallel
from tests.models.random_quant_graph import RandomQuantGraph, random_codes, random_network


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 100])
def test_batches_and_threads_make_no_difference(count: int) -> None:
    graph = random_network(5)
    codes = random_codes(graph, count)
    one_by_one = [run(graph, codes[i : i + 1])[0] for i in range(count)]
    expected = np.stack(one_by_one) if count else np.empty((0, *graph.topology.shape(graph.topology.output)[1:]))
    assert np.array_equal(run(graph, codes), expected)
    assert np.array_equal(run_parallel(graph, codes, threads=3), expected)


def test_little_memory_makes_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_network(6)
    codes = random_codes(graph, 5)
    expected = run(graph, codes)
    monkeypatch.setattr(interpreter, "MEMORY_BYTES", 1)
    assert Interpreter.prepare(graph).batch() == 1
    assert np.array_equal(run(graph, codes), expected)


def test_observe_sees_each_operator_in_order() -> None:
    graph = random_network(7)
    seen: list[tuple[str, tuple[int, ...]]] = []

    def observe(operator: Operator, output: Int8Array) -> None:
        seen.append((operator.name, output.shape))

    run(graph, random_codes(graph, 3), observe)
    topology = graph.topology
    assert seen == [(op.name, (3, *topology.shape(op.output)[1:])) for op in topology.operators]


def test_progress_reaches_the_end() -> None:
    graph = random_network(8)
    seen: list[tuple[int, int]] = []
    run_parallel(graph, random_codes(graph, 70), 2, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (70, 70)
    assert seen == sorted(seen)


def test_a_tensor_may_be_read_twice_and_be_the_output() -> None:
    builder = RandomQuantGraph(0, (3,))
    x = builder.relu(builder.input)
    builder.softmax(builder.add(x, x))
    graph = builder.build(x)
    codes = random_codes(graph, 4)
    assert run(graph, codes).shape == (4, 3)


@pytest.mark.parametrize("codes", [np.zeros((2, 4), np.int8), np.zeros((2, 3), np.int16)])
def test_inputs_of_another_shape_or_type_are_refused(codes: Int8Array) -> None:
    builder = RandomQuantGraph(0, (3,))
    graph = builder.build(builder.relu(builder.input))
    with pytest.raises(GraphError):
        run(graph, codes)
