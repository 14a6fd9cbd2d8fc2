"""What the pages show: commands in fenced blocks, commands and files in running text, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sq_micro.paths import project_files

ROOT = project_files()
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PROGRAMS = ("sq-micro", "make", "pip", "python", "cp")
ELIDED = ("model.keras", "--board", "nucleo_l4r5zi", "--calibrate", "calib.npz")  # what … stands for
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_NAMED_FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it; `words` are what a shell would make of it, with … filled in."""

    page: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.words)


def fenced_commands(page: Path) -> Iterator[Shown]:
    """The commands of a page in their order. A block is one of commands iff it begins with one.

    Raises ValueError for a line in such a block that begins with no program that is known here.
    """
    for language, block in _FENCE.findall(page.read_text(encoding="utf-8")):
        lines = block.replace("\\\n", " ").splitlines()
        if language in ("", "sh") and lines and lines[0].split(" ")[0] in PROGRAMS:
            for line in filter(str.strip, lines):
                yield from commands_of(page, line)


def commands_of(page: Path, line: str) -> Iterator[Shown]:
    """The commands of one line, which `&&` may join and a comment may follow."""
    for part in line.split(" && "):
        words = shlex.split(part, comments=True)
        if words[0] not in PROGRAMS:
            raise ValueError(f"{page.name}: '{line}' begins with {words[0]}; this test knows {', '.join(PROGRAMS)}")
        filled = (ELIDED if word == "…" and "model.keras" not in words else (word,) for word in words)
        yield Shown(page, tuple(word for group in filled for word in group if word != "…"))


def spans(page: Path) -> list[str]:
    """What stands between backticks in running text."""
    return _SPAN.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def named_files(page: Path) -> dict[str, str]:
    """Blocks that a comment before them gives a file name."""
    return dict(_NAMED_FILE.findall(page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    return _LINK.findall(page.read_text(encoding="utf-8"))
