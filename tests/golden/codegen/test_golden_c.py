"""The generated C of tiny models, byte for byte. `regenerate.py` says how to change it on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.codegen.models import MODELS, golden_files

FOLDER = Path(__file__).parent
REGENERATE = "if this is meant: python -m tests.golden.codegen.regenerate"


@pytest.mark.parametrize("name", MODELS)
def test_the_generated_files_are_the_golden_ones(name: str) -> None:
    generated = {path.as_posix(): text for path, text in golden_files(MODELS[name]()).items()}
    folder = FOLDER / name
    golden = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert sorted(generated) == sorted(golden), REGENERATE
    for path, text in generated.items():
        assert text == golden[path], f"{path}: {REGENERATE}"


def test_every_golden_folder_belongs_to_a_model() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(MODELS)
