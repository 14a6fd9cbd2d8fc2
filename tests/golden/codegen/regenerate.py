"""Rewrite the golden files after a change that was meant: `python -m tests.golden.codegen.regenerate`.

Read `git diff tests/golden/codegen` afterwards: it is what the change does to everybody's generated code.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sq_micro.paths import write_atomically
from tests.golden.codegen.models import MODELS, golden_files

FOLDER = Path(__file__).parent


def main() -> None:
    """Replace each model's folder."""
    for name, make in MODELS.items():
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        for path, text in golden_files(make()).items():
            write_atomically(FOLDER / name / path, text)


if __name__ == "__main__":
    main()
