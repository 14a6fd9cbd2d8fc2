"""Builds a network once per width and set of kernels, runs each image, and takes apart what every operator took.

The images are of the network itself, so that whatever the compiler folds, unrolls or shares is in the figures. They
hold nearest-rounded weights: neither cycles nor code depend on the values, except that a channel's levels may be of
another kind.
"""

from __future__ import annotations

import json
import re
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from sq_micro.board import Board, arena_room, load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.cost.profile import NetworkProfile, OperatorFigures, called_bytes
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.operators import Operator, Reshape
from sq_micro.kernels.select import select_kernels
from sq_micro.kernels.sizes import padding_bytes, to_word
from sq_micro.mapper import Mapper, SerialMapper
from sq_micro.measure.harness import Measurement, measure
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.session import Session
from sq_micro.paths import project_files
from sq_micro.plan.plan import Plan, make_plan
from sq_micro.quant.calibrate import Ranges
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import quantize
from sq_micro.quant.sharing import insert_requantization
from sq_micro.stages.progress import Notify, silent
from sq_micro.store import Store, content_key
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import Firmware, build
from sq_micro.toolchain.stack import called_functions

_OPERATOR = re.compile(r"^op(\d+)_\w+$")  # functions and parameters


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One image of one width and one set of kernels: picklable, since images are built side by side."""

    graph: FloatGraph
    ranges: Ranges
    bits: int
    kernels: KernelSet
    board: str
    compiler: CompilerChoice


@dataclass(frozen=True, slots=True)
class ImageFigures:
    """What one image took; cycles, code and calls are of the executed operators in order.

    See `cost.profile.OperatorFigures`.
    """

    bits: int
    kernels: KernelSet
    cycles: tuple[int, ...] | None
    code_bytes: tuple[int, ...]
    calls: tuple[dict[str, int], ...]
    shared_code_bytes: int
    overhead_cycles: int | None
    static_bytes: int
    stack_bytes: int


def characterise(
    graph: FloatGraph,
    ranges: Ranges,
    board: str,
    compiler: CompilerChoice = "auto",
    store: Store | None = None,
    mapper: Mapper | None = None,
    notify: Notify = silent,
    sets: Sequence[KernelSet] = ("fast",),
) -> NetworkProfile:
    """Cycles and code bytes of every operator at every width, with each set of kernels, of which `fast` must be one.

    board  an id, or a file's path

    What was built before, with the same kernels and the same compiler, comes from the store.
    """
    kept, workers = store or Store(None), mapper or SerialMapper()
    key = _key(graph, ranges, board, compiler)
    wanted = [(kernels, bits) for kernels in sets for bits in WEIGHT_BITS]
    found = {image: _from_store(kept, f"{key}-{image[0]}-{image[1]}") for image in wanted}
    missing = [image for image, figures in found.items() if figures is None]
    requests = [ImageRequest(graph, ranges, bits, kernels, board, compiler) for kernels, bits in missing]
    for figures in workers.map(image_figures, requests, lambda done, total: notify("characterise", done, total)):
        found[figures.kernels, figures.bits] = figures
        kept.put(f"{key}-{figures.kernels}-{figures.bits}", json.dumps(asdict(figures)).encode())
    return _profile(graph, [figures for figures in found.values() if figures is not None])


def image_figures(request: ImageRequest) -> ImageFigures:
    """Generate, build and run one image."""
    topology = request.graph.topology
    widths = Bitwidths({operator.name: request.bits for operator in topology.weighted()})
    graph = quantize(request.graph, request.ranges, widths, "minmax")
    with tempfile.TemporaryDirectory(prefix="sq-micro-") as folder:
        firmware, measured = _run_image(graph, request, Path(folder))
        called = _called(firmware, request.board)
    executed = _executed(graph.topology.operators)
    code = [0] * len(executed)
    calls: list[dict[str, int]] = [{} for _ in executed]
    for name, size in (*firmware.footprint.functions.items(), *firmware.footprint.objects.items()):
        if (match := _OPERATOR.match(name)) and int(match[1]) < len(code):
            code[int(match[1])] += size + to_word(size)
            calls[int(match[1])] |= {callee: more + to_word(more) for callee, more in called.get(name, {}).items()}
    cycles = tuple(measured.operator_cycles) if measured.operator_cycles else None
    overhead = None
    if cycles is not None and measured.cycles:
        overhead = max(0, statistics.median_low(measured.cycles) - sum(cycles))
    footprint = firmware.footprint
    isa, sets = load_board(request.board).core.isa, _sets(graph, request)
    choices = select_kernels(graph.topology, graph.bitwidths, isa, sets)
    padding = sum(
        padding_bytes(choices[operator.name], operator, request.bits, graph.topology)
        for operator in graph.topology.weighted()
    )
    shared = footprint.code_bytes - sum(code) - called_bytes(calls) - padding
    return ImageFigures(
        bits=request.bits,
        kernels=request.kernels,
        cycles=cycles,
        code_bytes=tuple(code),
        calls=tuple(calls),
        shared_code_bytes=shared,
        overhead_cycles=overhead,
        static_bytes=footprint.static_bytes,
        stack_bytes=footprint.stack_bytes,
    )


def _sets(graph: QuantGraph, request: ImageRequest) -> dict[str, KernelSet]:
    return {operator.name: request.kernels for operator in graph.topology.operators}


def _called(firmware: Firmware, board: str) -> dict[str, dict[str, int]]:
    """What each operator's function calls; nothing on the host, whose machine code is not read."""
    if load_board(board).sram is None:
        return {}
    return called_functions(firmware.elf, filter(_OPERATOR.match, firmware.footprint.functions))


def _run_image(graph: QuantGraph, request: ImageRequest, folder: Path) -> tuple[Firmware, Measurement]:
    board = load_board(request.board)
    plan = _planned(graph, request, board)
    render_project(graph, plan).write(folder / "model")
    render_board(graph, plan, board).write(folder / "board")
    compiler = find_compiler(board, request.compiler)
    folders = folder / "model", folder / "board", folder / "build"
    firmware = build(BuildRequest(*folders, board, compiler, plan.arena_bytes, plan.share_bytes))
    with Session(make_link(board.links[0], firmware.elf, board), model_hash=graph.digest().hex()) as session:
        codes = np.full((1, session.hello.input_bytes), graph.input_params.zero_point, np.int8)
        return firmware, measure(session, codes)


def _planned(graph: QuantGraph, request: ImageRequest, board: Board) -> Plan:
    """As nothing presses, but divided over the board's regions where it has several and one does not hold the arena.
    Patches are left out: of the operators that run in them nobody could tell the cycles apart.
    """
    whole = make_plan(graph.topology, graph.bitwidths, board.core.isa, sets=_sets(graph, request))
    room = arena_room(board)
    if room is None or len(room.spaces) < 2:
        return whole
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa, sets=_sets(graph, request), room=room)
    return whole if plan.head else plan


def _executed(operators: tuple[Operator, ...]) -> list[Operator]:
    """Generated code has no function for a Reshape, and numbers the others."""
    return [operator for operator in operators if not isinstance(operator, Reshape)]


def _profile(graph: FloatGraph, taken: Sequence[ImageFigures]) -> NetworkProfile:
    images = _with_equal_sizes(taken)
    names = _operator_names(graph, len(images[0].code_bytes))
    overheads = [image.overhead_cycles for image in images if image.overhead_cycles is not None]
    sets = {image.kernels: {i.bits: i for i in images if i.kernels == image.kernels} for image in images}
    found = {kernels: _operators(graph, names, by_width) for kernels, by_width in sets.items()}
    return NetworkProfile(
        operators=found.pop("fast"),
        shared_code_bytes=max(image.shared_code_bytes for image in images),
        overhead_cycles=max(overheads) if overheads else None,
        static_bytes=max(image.static_bytes for image in images),
        stack_bytes=max(image.stack_bytes for image in images),
        sets=found,
    )


def _with_equal_sizes(images: Sequence[ImageFigures]) -> list[ImageFigures]:
    """Called functions with their largest size of any image: compilers fold what all callers have in common, and in an
    image of mixed widths they have less.
    """
    sizes: dict[str, int] = {}
    for called in chain.from_iterable(image.calls for image in images):
        sizes |= {name: max(size, sizes.get(name, 0)) for name, size in called.items()}
    return [
        replace(image, calls=tuple({name: sizes[name] for name in called} for called in image.calls))
        for image in images
    ]


def _operators(
    graph: FloatGraph, names: Sequence[str], images: Mapping[int, ImageFigures]
) -> dict[str, dict[int, OperatorFigures]]:
    """By name, then by width."""
    weighted = {operator.name for operator in graph.topology.weighted()}
    operators: dict[str, dict[int, OperatorFigures]] = {}
    for index, name in enumerate(names):
        widths = images if name in weighted else {0: max(images.values(), key=lambda image: image.code_bytes[index])}
        operators[name] = {
            bits: OperatorFigures(
                image.cycles[index] if image.cycles else None, image.code_bytes[index], image.calls[index]
            )
            for bits, image in widths.items()
        }
    return operators


def _operator_names(graph: FloatGraph, executed: int) -> list[str]:
    """Quantization may insert operators, so the names are those of the quantized topology."""
    names = [operator.name for operator in _executed(insert_requantization(graph.topology).operators)]
    assert len(names) == executed
    return names


def _from_store(store: Store, key: str) -> ImageFigures | None:
    kept = store.get(key)
    if kept is None:
        return None
    fields = json.loads(kept)
    cycles = fields["cycles"]
    return ImageFigures(
        bits=fields["bits"],
        kernels=fields["kernels"],
        cycles=None if cycles is None else tuple(cycles),
        code_bytes=tuple(fields["code_bytes"]),
        calls=tuple(fields["calls"]),
        shared_code_bytes=fields["shared_code_bytes"],
        overhead_cycles=fields["overhead_cycles"],
        stack_bytes=fields["stack_bytes"],
        static_bytes=fields["static_bytes"],
    )


def _key(graph: FloatGraph, ranges: Ranges, board_name: str, compiler: CompilerChoice) -> str:
    """Everything that an image's cycles and bytes depend on."""
    board = load_board(board_name)
    topology = graph.topology
    shapes = [f"{operator!r} {topology.shape(operator.output)}" for operator in topology.operators]
    weights = [f"{operator.name} {topology.shape(operator.weights)}" for operator in topology.weighted()]
    sources = b"".join(_sources())
    parts = (board.source_file.read_bytes(), str(find_compiler(board, compiler)), sources)
    narrow = repr(sorted(ranges.bits.items()))
    return content_key("characterise, calls and parameters apart", *shapes, *weights, narrow, *parts)


def _sources() -> list[bytes]:
    """The C, its templates and what fills them in, and the cycle model, in a fixed order."""
    root, package = project_files(), Path(__file__).resolve().parents[1]
    files = [*(root / "firmware").rglob("*"), *(root / "codegen_templates").rglob("*")]
    files += [file for room in ("kernels", "plan", "codegen") for file in (package / room).rglob("*.py")]
    files += (package / "simulate").rglob("*.toml")
    return [file.read_bytes() for file in sorted(files) if file.is_file()]
