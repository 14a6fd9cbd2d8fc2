from __future__ import annotations

import pytest

from sq_micro.board import load_board
from sq_micro.codegen.constants import exact_choice
from sq_micro.codegen.model_view import make_model_view
from sq_micro.cost.profile import NetworkProfile, OperatorFigures, candidate_cost
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.kernels.sizes import table_bytes, weight_bytes
from sq_micro.plan.plan import make_plan
from tests.models.random_quant_graph import random_network


@pytest.mark.parametrize("isa", ["c", "armv7em_dsp"])
@pytest.mark.parametrize("seed", range(8))
def test_constants_are_those_of_the_generated_arrays(seed: int, isa: str) -> None:
    graph = random_network(seed)
    bits = graph.bitwidths.weights
    plan = make_plan(graph.topology, graph.bitwidths, isa)
    view = make_model_view(graph, plan)
    operators = list(graph.topology.weighted())
    # Weights that are all large, as some random ones are here, take the portable kernel.
    found = [(exact_choice(graph, plan.choices[op.name], op), op, bits[op.name], graph.topology) for op in operators]
    assert sum(weight_bytes(*arguments) for arguments in found) == view.weight_bytes
    tables = sum(table_bytes(*arguments) for arguments in found)
    steps = sum(graph.topology.shape(operator.bias)[0] for operator in operators if bits[operator.name] < 8)
    assert tables - steps <= view.table_bytes <= tables


def test_a_cost_adds_up_the_operators_at_their_bits() -> None:
    graph = random_network(11)
    names = [operator.name for operator in graph.topology.operators]
    weighted = {operator.name for operator in graph.topology.weighted()}
    profile = NetworkProfile(
        operators={
            name: dict.fromkeys(WEIGHT_BITS, OperatorFigures(1000, 100))
            if name in weighted
            else {0: OperatorFigures(10, 1)}
            for name in names
        },
        shared_code_bytes=5000,
        overhead_cycles=7,
        static_bytes=600,
        stack_bytes=400,
    )
    board = load_board("nucleo_l4r5zi")
    cost = candidate_cost(graph.topology, graph.bitwidths, profile, board)
    others = len(names) - len(weighted)
    assert cost.latency is not None
    assert cost.energy is not None
    assert cost.latency.value == pytest.approx((1000 * len(weighted) + 10 * others + 7) / 120e6)
    assert cost.energy.value == pytest.approx(cost.latency.value * 0.0486)
    code = 5000 + 100 * len(weighted) + others
    assert cost.flash.value - code >= cost.weights.value
    arena = make_plan(graph.topology, graph.bitwidths, board.core.isa).arena_bytes
    assert cost.sram.value == arena + 400 + 600


def test_without_a_counter_there_is_no_latency() -> None:
    graph = random_network(11)
    profile = NetworkProfile({op.name: {0: OperatorFigures(None, 1)} for op in graph.topology.operators}, 0, None, 0, 0)
    cost = candidate_cost(graph.topology, graph.bitwidths, profile, load_board("host"))
    assert cost.latency is None
    assert cost.energy is None
