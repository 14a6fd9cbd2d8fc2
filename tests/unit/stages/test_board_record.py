"""What the result says of each board."""

from __future__ import annotations

import pytest

from sq_micro.board import board_ids, load_board
from sq_micro.stages.measure import board_record


@pytest.mark.parametrize("name", board_ids())
def test_a_board_whose_cycles_are_modelled_says_what_they_are_worth(name: str) -> None:
    board = load_board(name)
    record = board_record(board)
    assert (record.id, record.clock_hz) == (name, board.core.clock_hz)
    assert (record.cycle_model is not None) == (board.simulator is not None)
    if record.cycle_model is not None:
        assert (record.cycle_model.leaves_out, record.cycle_model.wait_factor) == (board.leaves_out, board.wait_factor)
        assert record.cycle_model.error


def test_trust_and_core_are_the_cycle_tables() -> None:
    model = board_record(load_board("nucleo_h753zi")).cycle_model
    assert model is not None
    assert model.core.startswith("Arm Cortex-M7")
    assert model.trust == "±15 %"
