"""Compiles generated models outside the checkout, and runs them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

from sq_micro.codegen.render import render_project
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror")


def written(graph: QuantGraph, folder: Path) -> Path:
    """The project of a model, in a folder of its own."""
    render_project(graph, make_plan(graph.topology, graph.bitwidths)).write(folder)
    return folder


def ran(*command: str | Path, stdin: bytes = b"") -> bytes:
    """What a command says; the test fails with all its output where it fails."""
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout


def include_flags(project: Path) -> tuple[str, ...]:
    return tuple(f"-I{project / folder}" for folder in ("include", "src", "sqm", "sqm/include"))


def missing(*programs: str) -> str:
    """Those programs that are not on PATH, for the reason of a skip."""
    return ", ".join(program for program in programs if shutil.which(program) is None)


def main_text(prefixes: list[str]) -> str:
    """A program that reads samples for each model in turn, and writes each model's output."""
    headers = "".join(f'#include "{prefix}.h"\n' for prefix in prefixes)
    calls = "".join(
        f"        if (fread({prefix}_input(), {prefix.upper()}_INPUT_BYTES, 1, stdin) != 1) {{ return 0; }}\n"
        f"        {prefix}_invoke();\n"
        f"        fwrite({prefix}_output(), {prefix.upper()}_OUTPUT_BYTES, 1, stdout);\n"
        for prefix in prefixes
    )
    return f"{headers}#include <stdio.h>\nint main(void)\n{{\n    for (;;) {{\n{calls}    }}\n}}\n"


def interleaved(parts: list[Int8Array]) -> bytes:
    """Sample 0 of each model, then sample 1 of each, as the program wants them."""
    return b"".join(sample.tobytes() for samples in zip(*parts, strict=True) for sample in samples)


def separated(data: bytes, sizes: list[int]) -> list[Int8Array]:
    """The inverse: for each model its rows of so many bytes."""
    rows = np.frombuffer(data, np.int8).reshape(-1, sum(sizes))
    return [np.ascontiguousarray(part) for part in np.split(rows, np.cumsum(sizes)[:-1], axis=1)]
