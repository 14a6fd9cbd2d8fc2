"""Rewrite the golden files after a change that was meant: `python -m tests.golden.renode.regenerate`.

Read `git diff tests/golden/renode` afterwards, and run the result in Renode: these files are another program's input.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sq_micro.paths import write_atomically
from tests.golden.renode.models import BOARDS, golden_files

FOLDER = Path(__file__).parent


def main() -> None:
    """Replace each board's folder."""
    for name in BOARDS:
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        for file, text in golden_files(name).items():
            write_atomically(FOLDER / name / file, text)


if __name__ == "__main__":
    main()
