"""What is said where an arena fits neither a region of the board nor all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.board import arena_room, load_board
from sq_micro.errors import DoesNotFitError
from sq_micro.plan.plan import Plan, make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.stages.generate import require_sram
from tests.models.random_quant_graph import resnet8
from tests.models.tiny_networks import ds_cnn
from tests.models.two_rams import SIMULATED, board_with


def refused(graph: QuantGraph, sram_bytes: int, ccm_bytes: int, folder: Path) -> tuple[DoesNotFitError, Plan]:
    board = board_with(SIMULATED, sram_bytes, ccm_bytes, folder)
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa, room=arena_room(board))
    with pytest.raises(DoesNotFitError) as raised:
        require_sram(plan, board)
    return raised.value, plan


def test_all_regions_together_are_too_small(tmp_path: Path) -> None:
    error, plan = refused(resnet8(), 16_384, 16_384, tmp_path)
    room = 16_384 - 2048 - 16, 16_384 - 1024
    assert (error.resource, error.short_bytes) == ("SRAM", plan.lower_bound_bytes - sum(room))
    assert f"has {room[0]:,} B for it in ccm and {room[1]:,} B for it in sram; choose" in str(error)


def test_one_tensor_is_larger_than_every_region(tmp_path: Path) -> None:
    """DS-CNN's first output has 8,000 bytes; two regions of 6,000 would be enough for all."""
    error, _ = refused(ds_cnn(), 7_000, 8_000, tmp_path)
    assert (error.resource, error.short_bytes) == ("SRAM in sram", 8_000 - (7_000 - 1024))
    assert str(error).endswith("and 'conv2d_0' alone takes more; choose a larger board, or a smaller input")


def test_what_is_divided_is_not_refused(tmp_path: Path) -> None:
    board, graph = board_with(SIMULATED, 24_576, 20_480, tmp_path), resnet8()
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa, room=arena_room(board))
    assert plan.arena_bytes > max(24_576, 20_480)
    require_sram(plan, board)


def test_one_region_is_told_as_ever() -> None:
    board, graph = load_board("hifive1_revb"), resnet8()
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa, room=arena_room(board))
    with pytest.raises(DoesNotFitError, match=r"hifive1_revb has 16,384 B; choose") as raised:
        require_sram(plan, board)
    assert (raised.value.resource, raised.value.short_bytes) == ("SRAM", plan.arena_bytes - 16_384)
