"""The search under an SRAM budget: 8-bit activations while they fit, then as few of 4 bits as it takes.

What characterising a board would say is made up: no image is built here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sq_micro.assign.options import FixedCosts, operator_options
from sq_micro.assign.rounded_widths import RoundedWidths
from sq_micro.board import load_board
from sq_micro.cost.budget import Budget
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.mapper import SerialMapper
from sq_micro.plan.plan import make_plan
from sq_micro.quant.narrow import narrowable
from sq_micro.quant.plan_file import bitwidths_from
from sq_micro.quant.samples import Samples
from sq_micro.stages import assign as stage
from sq_micro.stages.sweep import sweep
from tests.unit.assign.small_problem import small_network

BOARD = "nucleo_l4r5zi"
GRAPH, _, INPUTS = small_network(size=12)
EIGHT = Bitwidths({operator.name: 8 for operator in GRAPH.topology.weighted()})
ISA = load_board(BOARD).core.isa
BESIDE = {8: 1000, 4: 1020}  # stack and static data; unpacking takes stack of its own


def arena(*names: str) -> int:
    able = narrowable(GRAPH.topology)
    bits = {tensor: 4 for name in names for tensor in able[name]}
    return make_plan(GRAPH.topology, Bitwidths(EIGHT.weights, bits), ISA, 1).arena_bytes


SAMPLES = Samples(INPUTS, None, 1.0, Path("calib.npz"))


def with_made_up_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    def made_up(*arguments: object) -> stage._Costs:
        frame = next(argument.frame for argument in arguments if isinstance(argument, RoundedWidths))
        bits = frame.activation_bits
        options = operator_options(frame.topology, board=load_board(BOARD), activation_bits=bits)
        return stage._Costs(options, (), FixedCosts(sram_bytes=BESIDE[min(bits.values())]))

    monkeypatch.setattr(stage, "_costs", made_up)


def asked(sram_bytes: int) -> stage.AssignRequest:
    return stage.AssignRequest(Path("calib.npz"), BOARD, Budget(sram=sram_bytes), allocator="uniform", keep=False)


def searched(monkeypatch: pytest.MonkeyPatch, sram_bytes: int) -> stage.Found:
    with_made_up_costs(monkeypatch)
    return stage.search(GRAPH, SAMPLES, asked(sram_bytes), SerialMapper())


def test_activations_keep_8_bits_while_a_plan_with_them_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    found = searched(monkeypatch, BESIDE[8] + arena())
    assert found.explanation.assignment.status == "feasible"
    assert not found.activations
    assert "activations" not in json.loads(found.plan_text)


def test_one_byte_less_and_some_have_4(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    every = list(narrowable(GRAPH.topology))
    budget = max(BESIDE[4] + arena(*every), BESIDE[8] + arena() - 1)
    assert BESIDE[4] + arena(*every) <= budget < BESIDE[8] + arena(), "the network is too small to show anything"
    found = searched(monkeypatch, budget)
    assignment = found.explanation.assignment
    assert assignment.status == "feasible"
    assert found.activations
    assert assignment.cost.sram is not None
    assert assignment.cost.sram.value <= budget
    assert "4 bits for the outputs of" in assignment.log[0]
    file = tmp_path / "bits.json"
    file.write_text(found.plan_text, encoding="utf-8")
    planned = bitwidths_from(str(file), GRAPH.topology)
    assert make_plan(GRAPH.topology, planned, ISA, budget - BESIDE[4]).arena_bytes <= budget - BESIDE[4]
    assert set(planned.activations.values()) == {4}


def test_where_nothing_fits_all_have_4_and_what_is_short_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = searched(monkeypatch, BESIDE[4] + 50)
    assert found.explanation.assignment.status == "infeasible"
    assert list(found.activations) == list(narrowable(GRAPH.topology))
    assert "this network takes sram at least" in found.explanation.assignment.reason


def test_a_sweep_chooses_as_a_deployment_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under budgets for 8 bits, for some of 4, and for nothing."""
    amounts = (BESIDE[8] + arena(), BESIDE[8] + arena() - 1, BESIDE[4] + 50)
    found = [searched(monkeypatch, amount) for amount in amounts]
    budgets = [Budget(sram=amount) for amount in amounts]
    swept = sweep(GRAPH, SAMPLES, [BOARD], budgets, asked(0), SerialMapper())
    assert [point.activations for point in swept.points] == [dict(one.activations) for one in found]
    assert [point.bits for point in swept.points] == [
        dict(one.explanation.assignment.bitwidths.weights) for one in found
    ]
    assert [point.fits for point in swept.points] == [True, True, False]
    assert len({bool(point.activations) for point in swept.points}) == 2
