"""Every command that README and docs show is carried out on the digits, or parsed where a reason is stated."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits
from tests.docs.command_parser import options_of, parse
from tests.docs.documents import PAGES, ROOT, Shown, commands_of, fenced_commands, spans

# Commands that are not carried out, each with the reason.
PARSED = {
    "sq-micro flash *": "needs a board",
    "sq-micro measure * --link serial": "needs a board",
    "sq-micro ports": "asks whatever is connected",
    "sq-micro deploy * --pin dense=8 *": "pins an operator that the digits do not have",
    "sq-micro mlperf *": "needs a network of MLPerf Tiny",
    "python -m pytest *": "is a test itself",
    "python -m tests.bench.*": "rewrites a page; a test compares that page",
}
# Commands that take long: `make test-long` carries them out, in their order among the others of the page.
LONG = {
    "sq-micro deploy * --flash *": "builds the network once per width",
    "sq-micro assign *": "builds the network once per width",
    "sq-micro sweep *": "builds the network once per width and board",
    "sq-micro compare-allocators *": "tries the plans of every allocator",
    "sq-micro finetune *": "trains",
    "sq-micro reproduce *": "rounds and builds again",
    "sq-micro deploy * --board mine.toml *": "is one more deployment",
    "sq-micro measure * --accuracy *": "runs hundreds of inferences",
}
SHOWN = {page: list(fenced_commands(page)) for page in PAGES}
WITH_COMMANDS = [page for page in PAGES if SHOWN[page]]


def is_among(command: Shown, patterns: dict[str, str]) -> bool:
    return any(
        fnmatch.fnmatchcase(f"{command} ", pattern if pattern[-1] == "*" else f"{pattern} ") for pattern in patterns
    )


def carry_out(command: Shown) -> None:
    match command.words:
        case ("sq-micro", *arguments):
            ran = sq_micro(*arguments)
            allowed = (0, 5) if arguments[0] == "doctor" else (0,)  # this machine may lack a board's flasher
            assert ran.code in allowed, f"{command}: {ran.err}"
        case ("cp", source, target):
            shutil.copy(source, target)
        case ("python", script, *arguments):
            subprocess.run([sys.executable, script, *arguments], check=True)
        case ("make", target):
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
        case ("pip", "install", package):
            extras = re.findall(r"\w+", package.partition("[")[2])
            known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            assert set(extras) <= set(known), command
        case _:
            raise AssertionError(f"{command.page.name}: nobody knows how to carry out '{command}'")


def carry_out_page(document: Path, digits: Digits, folder: Path, long: bool) -> None:
    """In a folder with the files that the pages speak of. `base` is the result of another day."""
    for name in ("examples", "boards"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(digits.model, folder / "model.keras")
    for name, file in (("calib", digits.calibrate), ("eval", digits.evaluate), ("train", digits.calibrate)):
        shutil.copy(file, folder / f"{name}.npz")
    for command in SHOWN[document]:
        if is_among(command, PARSED) or (is_among(command, LONG) and not long):
            continue
        if "base/result.json" in command.words:
            (folder / "base").mkdir()
            shutil.copy("out/mine/result.json", "base/result.json")
        carry_out(command)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.slow
@pytest.mark.simulator
@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda document: document.stem)
def test_the_commands_of_a_page_work(document: Path, digits: Digits, folder: Path) -> None:
    carry_out_page(document, digits, folder, long=False)


@pytest.mark.long
@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda document: document.stem)
def test_the_long_ones_work_as_well(document: Path, digits: Digits, folder: Path) -> None:
    carry_out_page(document, digits, folder, long=True)


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda document: document.stem)
def test_the_parser_takes_every_command(document: Path) -> None:
    for command in SHOWN[document]:
        if command.words[0] == "sq-micro":
            parse(command.words[1:])


def test_a_wrong_option_is_not_taken() -> None:
    (command,) = commands_of(ROOT / "README.md", "sq-micro deploy … --weight-bit 4")
    with pytest.raises(Exception, match="No such option"):
        parse(command.words[1:])


@pytest.mark.parametrize("pattern", [*PARSED, *LONG])
def test_no_exception_is_left_over(pattern: str) -> None:
    assert any(is_among(command, {pattern: ""}) for commands in SHOWN.values() for command in commands)


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.stem)
def test_commands_in_running_text_exist(document: Path) -> None:
    for span in spans(document):
        if not span.startswith("sq-micro "):
            continue
        # `sq-micro analyze | assign --out FOLDER` stands for several commands; capitals for what one fills in.
        first, *others = span.removeprefix("sq-micro ").split(" | ")
        for words in ([*first.split()], *(other.split() for other in others)):
            if words[0].startswith("-"):
                assert words[0] in options_of([]), span
                continue
            known = options_of(words)
            assert {word for word in words if word.startswith("--")} <= known, f"{document.name}: `{span}`"
