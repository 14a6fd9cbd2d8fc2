"""Pages say what is so: links lead somewhere, files exist, quoted errors are in the code, every figure is explained."""

from __future__ import annotations

import ast
import doctest
import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from sq_micro.report.result import Result
from tests.bench import operators
from tests.docs.documents import PAGES, ROOT, links, spans

DOCS = ROOT / "docs"
A_FILE = re.compile(r"(sq_micro|firmware|tests|boards|codegen_templates|docs|examples)/[\w./-]*")
MEANT_GENERALLY = ("<", "*", "…")


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.stem)
def test_links_lead_somewhere(document: Path) -> None:
    for link in links(document):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        file = document if not target else (document.parent / target).resolve()
        assert file.exists(), f"{document.name}: {link}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, link


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.stem)
def test_files_that_are_named_exist(document: Path) -> None:
    for span in spans(document):
        if A_FILE.fullmatch(span) and not any(sign in span for sign in MEANT_GENERALLY):
            assert (ROOT / span).exists(), f"{document.name}: `{span}`"


def test_the_index_names_every_page() -> None:
    named = set(links(DOCS / "README.md"))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= named


def texts_of_the_code() -> Iterator[str]:
    """Every text in sq_micro, and every status of the firmware; what is put in at run time is …"""
    for file in (ROOT / "sq_micro").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Constant(value=str(text)):
                    yield text
                case ast.JoinedStr(values=parts):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
    yield (ROOT / "firmware" / "protocol" / "protocol.def").read_text(encoding="utf-8")


def test_quoted_errors_are_in_the_code() -> None:
    """The first cell of each row of troubleshooting, as far as it is one line of code; … stands for anything."""
    rows = re.findall(r"^\| `(.+?)` \| ", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    known = list(texts_of_the_code())
    assert len(rows) > 30
    for row in rows:
        pattern = re.compile(".*".join(re.escape(part) for part in row.split("…")))
        assert any(pattern.search(text) for text in known), row


def numbers(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Paths of all numbers in a record, * for elements of lists and dictionaries."""
    for name, field in model.model_fields.items():
        yield from _numbers_of(field.annotation, f"{path}{field.alias or name}")


def _numbers_of(annotation: Any, path: str) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from numbers(annotation, f"{path}.")
    elif annotation in (int, float):
        yield path
    else:
        repeated = getattr(annotation, "__origin__", None) in (list, dict, tuple)
        for part in get_args(annotation):
            if isinstance(part, int):  # a Literal
                yield path
            elif not isinstance(part, str):
                yield from _numbers_of(part, f"{path}.*" if repeated else path)


def test_every_number_of_a_result_is_explained() -> None:
    cells = re.findall(r"^\| (`.+?`) \| ", (DOCS / "figures.md").read_text(encoding="utf-8"), re.MULTILINE)
    patterns = [pattern for cell in cells for pattern in re.findall(r"`(.+?)`", cell)]
    found = set(numbers(Result))
    assert len(found) > 80
    unexplained = [path for path in found if not any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)]
    assert not unexplained, sorted(unexplained)
    left_over = [pattern for pattern in patterns if not any(fnmatch.fnmatchcase(path, pattern) for path in found)]
    assert not left_over


def test_the_walk_names_every_module_that_knows_the_operator_it_compares_with() -> None:
    """docs/adding-an-operator.md tells to follow Add; whatever module takes it from the operators must be there."""
    text = (DOCS / "adding-an-operator.md").read_text(encoding="utf-8")
    for file in sorted((ROOT / "sq_micro").rglob("*.py")):
        taken = [
            alias.name
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module == "sq_micro.ir.operators"
            for alias in node.names
        ]
        if "Add" in taken:
            assert f"`{file.relative_to(ROOT).as_posix()}`" in text, file


@pytest.mark.parametrize(
    ("name", "table"), list(operators.blocks()), ids=lambda value: value if len(value) < 12 else ""
)
def test_supported_operators_are_those_of_the_code(name: str, table: str) -> None:
    text = operators.DOCUMENT.read_text(encoding="utf-8")
    assert f"<!-- {name} -->\n{table}\n<!-- /{name} -->" in text, f"run {operators.COMMAND}"


def test_the_examples_of_the_concepts_hold() -> None:
    failed, attempted = doctest.testfile(str(DOCS / "concepts.md"), module_relative=False)
    assert (failed, attempted > 10) == (0, True)
