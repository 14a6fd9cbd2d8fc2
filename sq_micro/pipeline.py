"""The table of contents of a run: what happens to a model, in order.

`deploy` is the whole loop; each stage is a function of its own in `sq_micro.stages`, and a command of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from sq_micro.board import load_board
from sq_micro.plan.plan import make_plan
from sq_micro.quant.plan_file import bitwidths_from
from sq_micro.report.result import Result
from sq_micro.stages.analyze import analyze, read_model
from sq_micro.stages.build import build
from sq_micro.stages.generate import generate, require_sram
from sq_micro.stages.measure import measure
from sq_micro.stages.preview import Preview, make_preview
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import QuantizeOptions, quantize, read_samples
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.workspace import Workspace

StageDone = Callable[[str, BaseModel], None]


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """Everything that a person asks of `sq-micro deploy`. `link` None takes the board's first one."""

    model: Path
    board: str
    quantization: QuantizeOptions
    out: Path
    compiler: CompilerChoice = "auto"
    link: str | None = None
    runs: int = 100


def deploy(request: DeployRequest, notify: Notify = silent, done: StageDone = lambda _stage, _record: None) -> Result:
    """From a trained model to a measured image. `done` sees each stage's record as it ends."""
    workspace = Workspace(request.out)
    find_compiler(load_board(request.board), request.compiler)  # a wrong board or a missing tool shows at once
    workspace.open()
    done("analyze", analyze(workspace, request.model))
    done("quantize", quantize(workspace, request.quantization, notify))
    done("generate", generate(workspace, request.board))
    done("build", build(workspace, request.compiler))
    return measure(workspace, request.link, request.runs, notify)


def preview(request: DeployRequest) -> Preview:
    """What `deploy` would do, after checking everything that can be checked without computing; writes nothing."""
    board = load_board(request.board)
    compiler = find_compiler(board, request.compiler)
    _, graph, record = read_model(request.model)
    bitwidths = bitwidths_from(request.quantization.weight_bits, graph.topology)
    inputs = read_samples(graph, request.quantization)
    plan = make_plan(graph.topology, bitwidths)
    require_sram(plan, board)
    return make_preview(record, board, str(compiler), bitwidths, plan, graph.topology, inputs)
