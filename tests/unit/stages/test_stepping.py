"""What a device is expected to hold after each operator."""

from __future__ import annotations

import numpy as np

from sq_micro.plan.patching import heads
from sq_micro.plan.plan import make_plan, plan_in_patches
from sq_micro.reference.interpreter import run
from sq_micro.stages.stepping import expected_steps
from tests.models.random_quant_graph import RandomQuantGraph, random_codes


def test_each_step_is_the_references_output_at_its_place() -> None:
    builder = RandomQuantGraph(3, (6, 6, 2))
    graph = builder.build(builder.dense(builder.reshape(builder.conv2d(builder.input, 4), (144,)), 5))
    codes, plan = random_codes(graph, 1), make_plan(graph.topology, graph.bitwidths)
    steps = expected_steps(graph, plan, codes)
    assert [step.operator for step in steps] == ["conv2d_0", "dense_2"], "a Reshape is no step"
    last = steps[-1]
    assert last.codes is not None
    assert last.codes.tolist() == run(graph, codes).ravel().tolist()
    assert last.offset_bytes == plan.tensors[graph.topology.output].offset_bytes


def test_what_is_there_in_parts_alone_is_not_looked_at() -> None:
    builder = RandomQuantGraph(3, (12, 12, 2))
    graph = builder.build(builder.conv2d(builder.conv2d(builder.input, 4), 3))
    head = next(iter(heads(graph.topology)))
    plan = plan_in_patches(head, graph.topology, graph.bitwidths, "c")
    steps = expected_steps(graph, plan, random_codes(graph, 1))
    assert [step.codes is None for step in steps] == [True, False]
    assert isinstance(steps[1].codes, np.ndarray)
