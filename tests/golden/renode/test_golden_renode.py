"""Platform, scripts and Robot test of each board, byte for byte. `regenerate.py` says how to change them on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.renode.models import BOARDS, golden_files

FOLDER = Path(__file__).parent
REGENERATE = "if this is meant: python -m tests.golden.renode.regenerate"


@pytest.mark.parametrize("name", BOARDS)
def test_the_generated_files_are_the_golden_ones(name: str) -> None:
    generated = golden_files(name)
    golden = {path.name: path.read_text(encoding="utf-8") for path in (FOLDER / name).iterdir()}
    assert sorted(generated) == sorted(golden), REGENERATE
    for file, text in generated.items():
        assert text == golden[file], f"{file}: {REGENERATE}"


def test_every_golden_folder_belongs_to_a_board() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_nothing_is_fetched_from_the_network_and_every_number_is_the_boards(name: str) -> None:
    for text in golden_files(name).values():
        assert "ApplySVD" not in text
        assert "http" not in text
