from __future__ import annotations

import pytest

from sq_micro.board import board_ids, load_board
from sq_micro.errors import ToolchainError
from sq_micro.simulate.cycles.table import CycleTable, cycle_tables, load_cycle_table

TABLES = pytest.mark.parametrize("table", cycle_tables(), ids=lambda table: table.cores[0])


@TABLES
def test_every_row_names_its_source(table: CycleTable) -> None:
    for group in table.groups:
        assert len(group.source) > 8, group.name


@TABLES
def test_names_of_groups_are_unique_and_the_last_takes_anything(table: CycleTable) -> None:
    groups = table.groups
    assert len({group.name for group in groups}) == len(groups)
    assert groups[-1].mnemonics == ("*",)


@TABLES
def test_the_published_error_is_part_of_the_table(table: CycleTable) -> None:
    assert "%" in table.error
    assert ("not known" in table.error) == (table.label == "unvalidated")


def test_every_simulated_board_has_a_table() -> None:
    cores = {board.simulator.cpu for name in board_ids() if (board := load_board(name)).simulator}
    assert cores == {core for table in cycle_tables() for core in table.cores}
    for core in cores:
        assert core in load_cycle_table(core).cores


def test_a_core_without_a_table_is_an_error_that_lists_those_with_one() -> None:
    with pytest.raises(ToolchainError, match="cortex-m4"):
        load_cycle_table("cortex-m85")
