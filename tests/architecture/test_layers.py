"""Imports point downwards: a room sees the rooms of lower layers, never one beside or above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sq_micro.paths import project_files

PACKAGE = project_files() / "sq_micro"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "paths"),
    ("ir", "board", "store", "mapper"),
    ("frontend", "passes", "quant"),
    ("reference", "tflite", "kernels"),
    ("plan", "prune", "rounding"),
    ("cost", "finetune"),
    ("assign", "codegen"),
    ("toolchain", "simulate", "fidelity"),
    ("measure",),
    ("report",),
    # The spine may see every room.
    ("workspace", "console", "notebook"),
    ("stages",),
    ("pipeline", "doctor"),
    ("budget_request", "inputs"),
    ("searches",),
    ("api",),
    ("project_file",),
    ("cli_options",),
    (
        "cli_boards",
        "cli_compare",
        "cli_device",
        "cli_doctor",
        "cli_finetune",
        "cli_handover",
        "cli_mlperf",
        "cli_project",
        "cli_report",
        "cli_sweep",
    ),
    ("cli",),
    ("__main__",),
)
LAYER = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
SPINE = frozenset(room for room, number in LAYER.items() if number > LAYER["report"])

# A room, or a module or package inside it, for each import that not everyone may have.
ONLY: dict[str, frozenset[str]] = {
    "keras": frozenset({"frontend", "finetune"}),
    "jinja2": frozenset({"codegen", "report"}),
    "tomllib": frozenset({"board", "project_file", "simulate.cycles"}),
    "pydantic": frozenset({"board", "report"}) | SPINE,
    "unicorn": frozenset({"simulate"}),
    "capstone": frozenset({"simulate", "toolchain.frames"}),
    "ai_edge_litert": frozenset({"tflite"}),
    "tflite_runtime": frozenset({"tflite"}),
    "tflite_micro": frozenset({"tflite"}),
    "tflite": frozenset({"tflite"}),
    "flatbuffers": frozenset({"tflite"}),
    "elftools": frozenset({"toolchain", "simulate"}),
    "serial": frozenset({"measure.link"}),
    "matplotlib": frozenset({"report"}),
    "distributed": frozenset({"mapper"}),
    "jax": frozenset({"finetune"}),
    "subprocess": frozenset({"toolchain", "measure.link", "simulate", "finetune", "doctor"}),
    "typer": frozenset(room for room in SPINE if room == "cli" or room.startswith("cli_")),
    "rich": frozenset({"report"}) | SPINE,
}


def imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, also inside functions and by `import_module("…")`."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else ()
                start = ".".join((*above, *([module] if module else [])))
                yield from ((node.lineno, f"{start}.{alias.name}") for alias in names)
            case ast.Call(func=ast.Name(id="import_module" | "__import__"), args=[ast.Constant(value=str(name)), *_]):
                yield node.lineno, name
            case ast.Call(
                func=ast.Name(id="import_module"), args=[ast.JoinedStr(values=[ast.Constant(value=str(name)), *_]), *_]
            ):
                yield node.lineno, name


def violations(source: str, file: str) -> list[str]:
    """What a file of the package, `sq_micro/<room>/<…>.py`, must not import."""
    module = Path(file).with_suffix("").parts
    room, inside = module[1], ".".join(module[1:])
    if room not in LAYER:
        return [f"{file}:1: {room} has no layer; give it one in LAYERS"]
    found = []
    for line, name in imports(ast.parse(source), module[:-1]):
        root, _, rest = name.partition(".")
        if root == "sq_micro":
            other = rest.split(".")[0]
            if other in LAYER and other != room and LAYER[other] >= LAYER[room]:
                found.append(
                    f"{file}:{line}: {room} (layer {LAYER[room]}) must not import {other} (layer {LAYER[other]})"
                )
        elif root in ONLY and not any(f"{inside}.".startswith(f"{home}.") for home in ONLY[root]):
            found.append(f"{file}:{line}: {room} must not import {root}; only {', '.join(sorted(ONLY[root]))} may")
    return found


def package_files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem != "__init__")


def test_no_import_points_upwards_or_sideways() -> None:
    found = [
        violation
        for path in package_files()
        for violation in violations(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE.parent).as_posix())
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        (
            "sq_micro/ir/x.py",
            "from sq_micro.codegen.render import render_project",
            "sq_micro/ir/x.py:1: ir (layer 1) must not import codegen (layer 6)",
        ),
        (
            "sq_micro/ir/x.py",
            "import numpy\nfrom sq_micro import board",
            "sq_micro/ir/x.py:2: ir (layer 1) must not import board (layer 1)",
        ),
        (
            "sq_micro/quant/x.py",
            "def late():\n    import sq_micro.plan.arena",
            "sq_micro/quant/x.py:2: quant (layer 2) must not import plan (layer 4)",
        ),
        (
            "sq_micro/toolchain/deep/x.py",
            "from ...simulate import machine",
            "sq_micro/toolchain/deep/x.py:1: toolchain (layer 7) must not import simulate (layer 7)",
        ),
        (
            "sq_micro/plan/x.py",
            "from jinja2 import Template",
            "sq_micro/plan/x.py:1: plan must not import jinja2; only codegen, report may",
        ),
        (
            "sq_micro/reference/x.py",
            'import_module("tflite_micro.python")',
            "sq_micro/reference/x.py:1: reference must not import tflite_micro; only tflite may",
        ),
        (
            "sq_micro/attic/x.py",
            "import os",
            "sq_micro/attic/x.py:1: attic has no layer; give it one in LAYERS",
        ),
        (
            "sq_micro/measure/session.py",
            "import subprocess",
            "sq_micro/measure/session.py:1: measure must not import subprocess;"
            " only doctor, finetune, measure.link, simulate, toolchain may",
        ),
    ],
)
def test_a_planted_violation_is_found(file: str, source: str, expected: str) -> None:
    assert violations(source, file) == [expected]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("sq_micro/codegen/x.py", "import jinja2\nfrom sq_micro import __version__"),
        ("sq_micro/quant/x.py", "from sq_micro.quant.params import Levels\nfrom .graph import QuantGraph"),
        ("sq_micro/measure/link/x.py", "import subprocess"),
        ("sq_micro/cli.py", "import typer, rich\nfrom sq_micro.measure.session import Session"),
    ],
)
def test_what_is_allowed_is_not_found(file: str, source: str) -> None:
    assert not violations(source, file)
