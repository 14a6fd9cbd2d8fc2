"""What is in use at the same time does not overlap, and the arena is no larger than it has to be by far."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sq_micro.ir.operators import Reshape, operator_inputs
from sq_micro.kernels.overlap import ALIGNMENT
from sq_micro.plan.arena import Layout, Span
from sq_micro.plan.lifetimes import Buffer, live_bytes
from sq_micro.plan.plan import make_plan
from sq_micro.plan.search import place
from tests.models.random_quant_graph import random_network, resnet8


@st.composite
def buffers(draw: st.DrawFn) -> tuple[Buffer, ...]:
    found = []
    for index in range(draw(st.integers(1, 15))):
        first = draw(st.integers(0, 12))
        found.append(Buffer(f"b{index}", draw(st.integers(1, 3000)), first, draw(st.integers(first, 12))))
    return tuple(found)


def placed(drawn: tuple[Buffer, ...]) -> dict[str, Span]:
    offsets = place(Layout(drawn), 300).offsets
    return {buffer.name: Span(at, buffer.size_bytes) for buffer, at in zip(drawn, offsets, strict=True)}


def disjoint(left: Span, right: Span) -> bool:
    return left.end_bytes <= right.offset_bytes or right.end_bytes <= left.offset_bytes


@given(buffers())
@settings(max_examples=60, deadline=None)
def test_buffers_in_use_at_once_are_disjoint_and_aligned(drawn: tuple[Buffer, ...]) -> None:
    spans = placed(drawn)
    for buffer in drawn:
        assert spans[buffer.name].offset_bytes % ALIGNMENT == 0
        assert spans[buffer.name].offset_bytes >= 0
    for left, right in combinations(drawn, 2):
        assert not left.overlaps(right) or disjoint(spans[left.name], spans[right.name])


@given(buffers())
@settings(max_examples=60, deadline=None)
def test_the_arena_lies_between_its_bounds(drawn: tuple[Buffer, ...]) -> None:
    """At least what is live at once; at most all buffers side by side."""
    arena = max(span.end_bytes for span in placed(drawn).values())
    assert arena >= max(live_bytes(drawn, index) for index in range(13))
    assert arena <= sum(buffer.size_bytes + ALIGNMENT - 1 for buffer in drawn)


@given(buffers(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_arena_does_not_depend_on_the_order_of_its_buffers(drawn: tuple[Buffer, ...], random: object) -> None:
    shuffled = list(drawn)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = place(Layout(tuple(shuffled))), place(Layout(drawn))
    assert not (first.optimal and second.optimal) or first.arena_bytes == second.arena_bytes


@pytest.mark.parametrize("seed", range(40))
def test_no_operator_writes_over_what_is_still_read(seed: int) -> None:
    graph = random_network(seed)
    topology = graph.topology
    plan = make_plan(topology, graph.bitwidths)
    last_use = {tensor: index for index, op in enumerate(topology.operators) for tensor in operator_inputs(op)}
    last_use[topology.output] = len(topology.operators)
    owner: dict[str, str] = {}
    for index, operator in enumerate(topology.operators):
        source = operator_inputs(operator)[0]
        if isinstance(operator, Reshape):
            assert plan.tensors[operator.output] == plan.tensors[source]
            owner[operator.output] = owner.get(source, source)
            continue
        written = [plan.tensors[operator.output], *[plan.scratch[n] for n in (operator.name,) if n in plan.scratch]]
        earlier = {topology.input, *(op.output for op in topology.operators[:index])}
        kept = [plan.tensors[tensor] for tensor in earlier if last_use.get(tensor, -1) > index]
        for number, span in enumerate(written):
            assert span.end_bytes <= plan.arena_bytes
            assert all(disjoint(span, other) for other in kept + written[number + 1 :])
        for tensor in operator_inputs(operator):
            assert all(disjoint(plan.tensors[tensor], span) for span in written[1:])
            distance = written[0].offset_bytes - plan.tensors[tensor].offset_bytes
            overlap = plan.choices[operator.name].overlaps.get(tensor)
            assert disjoint(plan.tensors[tensor], written[0]) or (overlap is not None and overlap.allows(distance))
    assert plan.arena_bytes >= plan.lower_bound_bytes
    assert plan.arena_bytes % ALIGNMENT == 0


def test_resnet8_needs_far_less_than_what_is_live_at_once() -> None:
    graph = resnet8()
    plan = make_plan(graph.topology, graph.bitwidths)
    assert max(live_bytes(plan.buffers, i) for i in range(len(graph.topology.operators))) == 49152
    assert plan.optimal
    assert plan.arena_bytes == 33324
