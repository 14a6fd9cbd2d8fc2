"""Keeps README.md true: what stands between `<!-- name -->` and `<!-- /name -->` is what the commands print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def replace_block(name: str, text: str, file: Path = ROOT / "README.md") -> None:
    """Put text between a block's markers. Raises ValueError iff the file has no such block."""
    content = file.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in content or end not in content:
        raise ValueError(f"{file.name} has no block '{name}'")
    before, rest = content.split(start, 1)
    _, after = rest.split(end, 1)
    file.write_text(f"{before}{start}\n{text.rstrip()}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Run `make demo` and put what it prints into the README."""
    done = subprocess.run(["make", "demo"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    # The stages' lines come on stderr, make's own on stdout.
    shown = [
        line.rstrip()
        for line in done.stdout.splitlines()
        if not re.match(r"^(make|\.venv/bin/|  --|.* -m venv )", line)
    ]
    text = re.sub(r"\n{2,}", "\n\n", "\n".join(shown).strip())
    replace_block("demo", f"```\n{text}\n```")


if __name__ == "__main__":
    main()
