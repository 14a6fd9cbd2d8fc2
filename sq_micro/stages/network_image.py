"""One image of a network, at one width and with one set of kernels: built, run, and taken apart by operator."""

from __future__ import annotations

import json
import re
import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from sq_micro.board import Board, arena_room, load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.codegen.source_tree import SourceTree
from sq_micro.cost.profile import called_bytes
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.operators import Operator, Reshape
from sq_micro.kernels.sizes import padding_bytes, to_word
from sq_micro.measure.harness import Measurement, measure
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.session import Session
from sq_micro.paths import project_files
from sq_micro.plan.plan import Plan, make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Float32Array, Int8Array
from sq_micro.quant.quantize import Frame, QuantizedWeights
from sq_micro.store import Store, content_key
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import Firmware, build, set_aside_bytes
from sq_micro.toolchain.stack import Reach, reaches

_OPERATOR = re.compile(r"^op(\d+)_\w+$")  # functions, parameters and addresses
_MODEL_HASH = re.compile(r"[Mm]odel hash `?[0-9a-f]+")
_ROUNDS_BITS = 2  # at this width the time follows from the values of weights, too: they say how long a round may be


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One image of one width and one set of kernels: picklable, since images are built side by side.

    sample   real values (*input_shape) to run: portable kernels take a few percent more or less time by what they see
    weights  of every operator, at this width
    """

    frame: Frame
    sample: Float32Array
    weights: Mapping[str, QuantizedWeights]
    bits: int
    kernels: KernelSet
    board: str
    compiler: CompilerChoice
    store: Store


@dataclass(frozen=True, slots=True)
class ImageFigures:
    """What one image took; cycles, code, calls and stack are of the executed operators in order.

    See `cost.profile.OperatorFigures`, and `NetworkProfile` for the rest.
    """

    bits: int
    kernels: KernelSet
    cycles: tuple[int, ...] | None
    code_bytes: tuple[int, ...]
    calls: tuple[dict[str, int], ...]
    operator_stack_bytes: tuple[int, ...]
    shared_code_bytes: int
    overhead_cycles: int | None
    static_bytes: int
    stack_bytes: int
    rest_stack_bytes: int

    def to_bytes(self) -> bytes:
        """For a store."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of_bytes(cls, kept: bytes) -> ImageFigures:
        """What `to_bytes` wrote."""
        document: dict[str, Any] = json.loads(kept)
        lists = {name: tuple(value) for name, value in document.items() if isinstance(value, list)}
        return cls(**{field.name: lists.get(field.name, document[field.name]) for field in fields(cls)})


def image_figures(request: ImageRequest) -> ImageFigures:
    """Generate, build and run one image; not again where another one of the same code was."""
    topology, board = request.frame.topology, load_board(request.board)
    widths = Bitwidths({operator.name: request.bits for operator in topology.weighted()})
    graph = request.frame.assemble(widths, request.weights)
    sets = {operator.name: request.kernels for operator in graph.topology.operators}
    plan = _planned(graph, board, sets)
    project = render_project(graph, plan)
    codes = graph.quantize_input(request.sample[None]).reshape(1, -1)
    key = content_key("image", codes, *_code_of(project, request), *surroundings(request.board, request.compiler))
    kept = request.store.get(key)
    if kept is not None:
        return ImageFigures.of_bytes(kept)
    figures = _built(graph, plan, project, codes, request)
    request.store.put(key, figures.to_bytes())
    return figures


def surroundings(board: str, compiler: CompilerChoice) -> tuple[str | bytes, ...]:
    """What an image's cycles and bytes depend on beside the generated model."""
    known = load_board(board)
    return known.source_file.read_bytes(), str(find_compiler(known, compiler)), _sources()


def executed_operators(operators: tuple[Operator, ...]) -> list[Operator]:
    """Generated code has no function for a Reshape, and numbers the others."""
    return [operator for operator in operators if not isinstance(operator, Reshape)]


def _planned(graph: QuantGraph, board: Board, sets: Mapping[str, KernelSet]) -> Plan:
    """As nothing presses, but divided over the board's regions where it has several and one does not hold the arena.
    Patches are left out: of the operators that run in them nobody could tell the cycles apart.
    """
    whole = make_plan(graph.topology, graph.bitwidths, board.core.isa, sets=sets)
    room = arena_room(board)
    if room is None or len(room.spaces) < 2:
        return whole
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa, sets=sets, room=room)
    return whole if plan.head else plan


def _built(graph: QuantGraph, plan: Plan, project: SourceTree, codes: Int8Array, request: ImageRequest) -> ImageFigures:
    with tempfile.TemporaryDirectory(prefix="sq-micro-") as folder:
        firmware, measured = _run_image(graph, plan, project, codes, request, Path(folder))
        reached, rest_bytes = _reaches(firmware, request.board)
    count = len(executed_operators(graph.topology.operators))
    code, stack = [0] * count, [0] * count
    calls: list[dict[str, int]] = [{} for _ in range(count)]
    footprint = firmware.footprint
    for name, size in (*footprint.functions.items(), *footprint.objects.items()):
        if (match := _OPERATOR.match(name)) and int(match[1]) < count:
            index = int(match[1])
            code[index] += size + to_word(size)
            if name in reached:
                calls[index] |= {callee: more + to_word(more) for callee, more in reached[name].calls.items()}
                stack[index] = max(stack[index], set_aside_bytes(reached[name].stack_bytes))
    cycles = tuple(measured.operator_cycles) if measured.operator_cycles else None
    overhead = None
    if cycles is not None and measured.cycles:
        overhead = max(0, statistics.median_low(measured.cycles) - sum(cycles))
    padding = sum(
        padding_bytes(plan.choices[operator.name], operator, request.bits, graph.topology)
        for operator in graph.topology.weighted()
    )
    return ImageFigures(
        bits=request.bits,
        kernels=request.kernels,
        cycles=cycles,
        code_bytes=tuple(code),
        calls=tuple(calls),
        operator_stack_bytes=tuple(stack),
        shared_code_bytes=footprint.code_bytes - sum(code) - called_bytes(calls) - padding,
        overhead_cycles=overhead,
        static_bytes=footprint.static_bytes,
        stack_bytes=footprint.stack_bytes,
        rest_stack_bytes=rest_bytes,
    )


def _reaches(firmware: Firmware, board: str) -> tuple[dict[str, Reach], int]:
    """What each operator's function has below and above it; nothing on the host, whose machine code is not read."""
    if load_board(board).sram is None:
        return {}, 0
    found, rest = reaches(firmware.elf, filter(_OPERATOR.match, firmware.footprint.functions))
    return found, set_aside_bytes(rest)


def _run_image(
    graph: QuantGraph, plan: Plan, project: SourceTree, codes: Int8Array, request: ImageRequest, folder: Path
) -> tuple[Firmware, Measurement]:
    board = load_board(request.board)
    project.write(folder / "model")
    render_board(graph, plan, board).write(folder / "board")
    compiler = find_compiler(board, request.compiler)
    folders = folder / "model", folder / "board", folder / "build"
    firmware = build(BuildRequest(*folders, board, compiler, plan.arena_bytes, plan.share_bytes))
    with Session(make_link(board.links[0], firmware.elf, board), model_hash=graph.digest().hex()) as session:
        return firmware, measure(session, codes)


def _code_of(project: SourceTree, request: ImageRequest) -> list[str | int]:
    """The generated code, weights left out where only their values are in them."""
    with_values = request.bits == _ROUNDS_BITS
    parts: list[str | int] = [request.bits, request.kernels]
    for path, text in project.files.items():
        if path.suffix in (".c", ".h") and (with_values or not path.name.endswith("_weights.c")):
            parts += [str(PurePosixPath(path)), _MODEL_HASH.sub("", text)]
    return parts


@cache
def _sources() -> bytes:
    """The firmware around the model, and the cycle model, in a fixed order."""
    root, package = project_files(), Path(__file__).resolve().parents[1]
    files = [root / "CMakeLists.txt", *(root / "firmware").rglob("*"), *(root / "codegen_templates").rglob("*")]
    files += [*(package / "simulate").rglob("*.toml"), Path(__file__)]
    return b"".join(file.read_bytes() for file in sorted(files) if file.is_file())
