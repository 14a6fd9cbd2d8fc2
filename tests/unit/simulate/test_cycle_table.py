from __future__ import annotations

import pytest

from sq_micro.errors import ToolchainError
from sq_micro.simulate.cycles.table import load_cycle_table


def test_every_row_names_its_source() -> None:
    for group in load_cycle_table("cortex-m4").groups:
        assert len(group.source) > 8, group.name


def test_names_of_groups_are_unique_and_the_last_takes_anything() -> None:
    groups = load_cycle_table("cortex-m4").groups
    assert len({group.name for group in groups}) == len(groups)
    assert groups[-1].mnemonics == ("*",)


def test_the_published_error_is_part_of_the_table() -> None:
    assert "%" in load_cycle_table("cortex-m4").error


def test_a_core_without_a_table_is_an_error_that_lists_those_with_one() -> None:
    with pytest.raises(ToolchainError, match="cortex-m4"):
        load_cycle_table("cortex-m85")
