"""Files stay short enough to be read at one sitting, and are named for what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.paths import project_files

MOST_LINES = 400
ROOTS = ("sq_micro", "firmware", "tests", "examples")
GENERATED = Path("tests/golden/codegen")
MOST_TEMPLATE_LINES = 120
EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "misc", "common"})


def source_files() -> list[Path]:
    root = project_files()
    found = [path for folder in ROOTS for path in (root / folder).rglob("*") if path.suffix in (".py", ".c", ".h")]
    written = {path.relative_to(root) for path in found}
    return sorted(path for path in written if path.suffix == ".py" or not path.is_relative_to(GENERATED))


@pytest.mark.parametrize("suffix", [".py", ".c", ".h"])
def test_no_file_is_longer_than_400_lines(suffix: str) -> None:
    files = [path for path in source_files() if path.suffix == suffix]
    assert files, f"no {suffix} file was found: the test looks in the wrong place"
    lengths = {path: len((project_files() / path).read_text(encoding="utf-8").splitlines()) for path in files}
    assert not {str(path): lines for path, lines in lengths.items() if lines > MOST_LINES}


def test_no_template_is_longer_than_120_lines() -> None:
    templates = list((project_files() / "codegen_templates").rglob("*.j2"))
    assert templates
    assert not [path.name for path in templates if len(path.read_text().splitlines()) > MOST_TEMPLATE_LINES]


def test_no_module_has_an_empty_name() -> None:
    assert not [str(path) for path in source_files() if path.stem in EMPTY_NAMES]
