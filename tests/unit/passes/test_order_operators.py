"""Operators in the order that needs least memory: against all orders there are."""

from __future__ import annotations

from itertools import permutations

import pytest

from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Reshape, operator_inputs
from sq_micro.ir.topology import Topology
from sq_micro.passes.order_operators import leanest_order
from sq_micro.plan.plan import make_plan
from tests.models.random_quant_graph import RandomQuantGraph, random_network


def two_branches() -> Topology:
    """A branch that ends large is written first, and in the way while the other one, which ends small, needs room."""
    builder = RandomQuantGraph(0, (8, 8, 4))
    small = builder.relu(builder.conv2d(builder.input, 4, (1, 1), (2, 2)))
    wide = builder.conv2d(small, 32, (1, 1))
    other = builder.max_pool2d(builder.conv2d(small, 64, (1, 1)), (4, 4), (4, 4))
    narrow = builder.reshape(builder.conv2d(other, 4, (1, 1)), (4,))
    flat = builder.reshape(wide, (512,))
    return builder.build(builder.concatenate((builder.dense(flat, 3), narrow))).topology


def peak_bytes(topology: Topology, order: tuple[int, ...]) -> int:
    """By the definition: what is written and still wanted, and the output unless it can replace an input."""
    operators = [topology.operators[index] for index in order]
    peak = 0
    for position, operator in enumerate(operators):
        later = {tensor for other in operators[position + 1 :] for tensor in operator_inputs(other)} | {topology.output}
        written = [topology.input, *(other.output for other in operators[:position])]
        now = [t for t in written if t in later or t in operator_inputs(operator)]
        size = topology.elements(operator.output)
        replaced = any(
            tensor not in later and (isinstance(operator, Reshape) or topology.elements(tensor) == size)
            for tensor in operator_inputs(operator)
        )
        peak = max(peak, sum(map(topology.elements, now)) + (0 if replaced else size))
    return peak


def valid_orders(topology: Topology) -> list[tuple[int, ...]]:
    writer = {operator.output: index for index, operator in enumerate(topology.operators)}
    found = []
    for order in permutations(range(len(topology.operators))):
        place = {index: position for position, index in enumerate(order)}
        needs = (
            (writer[tensor], index)
            for index, operator in enumerate(topology.operators)
            for tensor in operator_inputs(operator)
            if tensor in writer
        )
        if all(place[before] < place[after] for before, after in needs):
            found.append(order)
    return found


def order_of(topology: Topology, reordered: Topology) -> tuple[int, ...]:
    return tuple(topology.operators.index(operator) for operator in reordered.operators)


def test_the_branch_that_ends_small_runs_first() -> None:
    topology = two_branches()
    reordered = leanest_order(topology)
    assert reordered.operators != topology.operators
    assert set(reordered.operators) == set(topology.operators)
    before, after = (peak_bytes(topology, order_of(topology, t)) for t in (topology, reordered))
    assert after < before
    eight = Bitwidths({operator.name: 8 for operator in topology.weighted()})
    assert make_plan(reordered, eight).arena_bytes < make_plan(topology, eight).arena_bytes


@pytest.mark.parametrize("seed", range(12))
def test_no_order_is_leaner(seed: int) -> None:
    topology = random_network(seed).topology
    if len(topology.operators) > 8:
        topology = Topology(
            "cut", topology.tensors, topology.operators[:8], topology.input, topology.operators[7].output
        )
    reordered = order_of(topology, leanest_order(topology))
    orders = valid_orders(topology)
    assert reordered in orders
    assert peak_bytes(topology, reordered) == min(peak_bytes(topology, order) for order in orders)


def test_a_chain_stays_as_it_is() -> None:
    builder = RandomQuantGraph(0, (6, 6, 2))
    topology = builder.build(builder.mean(builder.relu(builder.conv2d(builder.input, 3)))).topology
    assert leanest_order(topology) is topology


def test_of_equal_orders_the_given_one_stays() -> None:
    builder = RandomQuantGraph(0, (6, 6, 2))
    left, right = builder.relu(builder.input), builder.sigmoid(builder.input)
    topology = builder.build(builder.concatenate((left, right))).topology
    assert leanest_order(topology) is topology
