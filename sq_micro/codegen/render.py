"""Views → source trees, through Jinja2."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import PurePosixPath

import jinja2
from jinja2.ext import Extension

from sq_micro.board import Board
from sq_micro.codegen.literals import integer_lines
from sq_micro.codegen.model_view import make_board_view, make_model_view
from sq_micro.codegen.source_tree import SourceTree
from sq_micro.codegen.views import ModelView
from sq_micro.paths import project_files
from sq_micro.plan.plan import Plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams, Int8Array

_MOST_SHIFT = 62  # of mlperf_tiny.c; a scale that needs more prints zeros anyway


@cache
def environment() -> jinja2.Environment:
    """The one Jinja environment: control lines are `//%`, comments `//#`, an undefined field is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(project_files() / "codegen_templates"),
        extensions=[_ControlLines],
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )


class _ControlLines(Extension):
    """Lines of `//% statement` and `//# comment`, which leave no trace in the output.

    Jinja's own `line_statement_prefix` also swallows the blank lines that follow, which belong to the C.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        source = re.sub(r"^[ \t]*//%(.*)$", r"{%\1 %}", source, flags=re.MULTILINE)
        return re.sub(r"^[ \t]*//#(.*)$", r"{#\1 #}", source, flags=re.MULTILINE)


def render(template: str, **views: object) -> str:
    """A template with its views."""
    return environment().get_template(template).render(**views)


def render_project(graph: QuantGraph, plan: Plan) -> SourceTree:
    """A CMake project of the model alone: builds anywhere as a static library, with no sq-micro installed."""
    model = make_model_view(graph, plan)
    files = {
        PurePosixPath("CMakeLists.txt"): render("build/model.cmake.j2", model=model),
        PurePosixPath(f"include/{model.prefix}.h"): render("model/model.h.j2", model=model),
        PurePosixPath(f"src/{model.prefix}.c"): render("model/model.c.j2", model=model),
        PurePosixPath(f"src/{model.prefix}_weights.h"): render("model/weights.h.j2", model=model),
        PurePosixPath(f"src/{model.prefix}_weights.c"): render("model/weights.c.j2", model=model),
        PurePosixPath("LICENSE"): (project_files() / "LICENSE").read_text(encoding="utf-8"),
        PurePosixPath("README.md"): render("model/README.md.j2", model=model),
    }
    return SourceTree(files | _kernel_headers(model))


def render_board(graph: QuantGraph, plan: Plan, board: Board) -> SourceTree:
    """What binds the model to the bench firmware of one board."""
    model, view = make_model_view(graph, plan), make_board_view(board, plan)
    files = {
        PurePosixPath("board.cmake"): render("build/board.cmake.j2", board=view),
        PurePosixPath("board_config.h"): render("build/board_config.h.j2", board=view),
        PurePosixPath("sqm_binding.h"): render("build/sqm_binding.h.j2", model=model),
    }
    if board.sram is not None:
        files[PurePosixPath("linker.ld")] = render("build/linker.ld.j2", board=view)
    return SourceTree(files)


def _kernel_headers(model: ModelView) -> dict[PurePosixPath, str]:
    """The headers that the model's code includes, found by following `#include "…"` from the nests."""
    firmware = project_files() / "firmware"
    pending = [firmware / "kernels" / name for name in model.includes]
    pending.append(firmware / "kernels" / model.isa_folder / "meta.h")
    found: dict[PurePosixPath, str] = {}
    while pending:
        path = pending.pop().resolve()
        target = PurePosixPath("sqm") / path.relative_to(firmware.resolve()).as_posix()
        if target in found:
            continue
        found[target] = path.read_text(encoding="utf-8")
        for line in found[target].splitlines():
            if line.startswith('#include "'):
                included = line.split('"')[1]
                candidates = (path.parent / included, firmware / included, firmware / "include" / included)
                pending.append(next(candidate for candidate in candidates if candidate.is_file()))
    return found


def render_inputs(inputs: Int8Array) -> str:
    """A C file with inputs (n, input_bytes), n ≥ 1, that the image carries."""
    lines = [integer_lines(row) for row in inputs]
    return render("build/inputs.c.j2", count=len(inputs), input_bytes=inputs.shape[1], inputs=lines)


def render_mlperf_config(model: str, codes: Int8Array, output: ActivationParams, *, energy: bool) -> str:
    """The header that firmware/app/mlperf_tiny.c includes.

    model  the benchmark's name, as `kws01`
    codes  (256,): the input code of each byte that the runner sends
    """
    fraction, exponent = math.frexp(float(output.scale))  # scale = fraction · 2^exponent, exactly, 24 bits
    return render(
        "build/mlperf_config.h.j2",
        model=model,
        energy=int(energy),
        codes=integer_lines(codes),
        zero_point=output.zero_point,
        mantissa=int(fraction * 2**24),
        shift=min(24 - exponent, _MOST_SHIFT),
    )
