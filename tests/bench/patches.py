"""What patches cost: modelled, and simulated on a NUCLEO-L4R5ZI. Another command fits the model's table.

    python -m tests.bench.patches          MobileNetV1 0.25 in smaller and smaller arenas; a minute
    python -m tests.bench.patches --fit    simulates some 250 small images, on a Cortex-M4 with DSP instructions and on
                                           a Cortex-M3, and prints the table of `kernels.part_cycles`; half an hour

Each image of the catalogue has the first one to four operators in patches of one size, or whole. Of those in patches
the sum is measured; whole ones are measured one by one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from sq_micro.board import load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.frontend.keras_model import load_keras
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Conv2D, DepthwiseConv2D, Reshape
from sq_micro.kernels.dsp import DSP
from sq_micro.kernels.part_cycles import Work, part_work
from sq_micro.kernels.tiling import LOSSES
from sq_micro.measure.harness import measure
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from sq_micro.passes import canonicalise
from sq_micro.plan.patching import head_of, heads, whole
from sq_micro.plan.plan import Plan, make_plan, plan_in_patches, slowdowns
from sq_micro.quant.calibrate import observe
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import quantize
from sq_micro.quant.samples import load_samples
from sq_micro.reference.interpreter import run
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import find_compiler
from sq_micro.toolchain.firmware import build
from tests.bench import random_networks
from tests.models.random_quant_graph import random_codes

os.environ.setdefault("KERAS_BACKEND", "numpy")
import keras

layers = keras.layers
BOARDS = {"nucleo_l4r5zi": (8, 6, 4, 3, 2), "mps2_an385": (8, 4)}
LIMITS = (38_000, 34_000, 32_000, 30_000, 29_500, 1)


def conv(x: Any, channels: int, window: int | tuple[int, int], stride: int = 1) -> Any:
    return layers.ReLU()(layers.Conv2D(channels, window, stride, "same", kernel_initializer="he_normal")(x))


def depthwise(x: Any, window: int = 3, stride: int = 1) -> Any:
    spread = keras.initializers.RandomNormal(stddev=2**0.5 / window)
    return layers.ReLU()(layers.DepthwiseConv2D(window, stride, "same", depthwise_initializer=spread)(x))


CATALOGUE: tuple[tuple[tuple[int, int, int], Callable[[Any], Any]], ...] = (
    ((32, 32, 3), lambda x: depthwise(conv(depthwise(conv(x, 8, 3, 2)), 16, 1), stride=2)),
    ((16, 16, 4), lambda x: conv(depthwise(conv(x, 12, 1), 5), 16, 1)),
    ((20, 20, 4), lambda x: conv(depthwise(conv(x, 8, 3), stride=2), 24, 1)),
    ((16, 16, 6), lambda x: conv(conv(x, 12, 1), 16, 3)),
    ((16, 24, 1), lambda x: depthwise(conv(x, 8, 5))),
    ((33, 10, 1), lambda x: conv(depthwise(conv(x, 16, (10, 4), 2)), 16, 1)),
    ((12, 12, 8), lambda x: conv(conv(x, 32, 1), 8, 1)),
)
_OF_ALL_WIDTHS = 2  # the first so many, at fewer sizes; the others at 8 bits alone


@dataclass
class Observations:
    """What was done, and how many cycles it took together."""

    work: list[Counter[Work]] = field(default_factory=list)
    cycles: list[int] = field(default_factory=list)

    def add(self, work: Counter[Work], cycles: int) -> None:
        self.work.append(work)
        self.cycles.append(cycles)

    def fitted(self) -> tuple[dict[Work, float], np.ndarray[Any, np.dtype[np.float64]]]:
        """Cycles of each kind of work, none below 0, by least squares of relative errors; and these errors."""
        kinds = list(dict.fromkeys(kind for work in self.work for kind in work))
        measured = np.array(self.cycles, np.float64)
        amounts = np.array([[work[kind] for kind in kinds] for work in self.work]) / measured[:, None]
        found, _ = nnls(amounts, np.ones(len(measured)))
        return dict(zip(kinds, found, strict=True)), amounts @ found - 1.0


def main() -> None:
    """Print one of the two tables."""
    if "--fit" not in sys.argv:
        compare()
        return
    for board, widths in BOARDS.items():
        cycles, errors = observed(board, widths).fitted()
        print(f"{board}: {len(errors)} runs, mean error {abs(errors).mean():.1%}, largest {abs(errors).max():.1%}")
        for kind, value in cycles.items():
            print(f'    "{kind}": {value:.3g},')


def compare() -> None:
    """Arena, cycles and the model's error of the person detector under each limit."""
    graph = quantized(random_networks.mobilenet(), 8)
    isa = load_board("nucleo_l4r5zi").core.isa
    alone = simulated(graph, make_plan(graph.topology, graph.bitwidths, isa), "nucleo_l4r5zi")
    print(f"whole: {alone.total:,} cycles\n| limit | patch | arena | simulated | modelled |\n|--:|---|--:|--:|--:|")
    for limit in LIMITS:
        plan = make_plan(graph.topology, graph.bitwidths, isa, limit)
        assert plan.head is not None
        slower = slowdowns(graph.topology, graph.bitwidths, plan)
        more = (cycles * (slower.get(name, 1.0) - 1.0) for name, cycles in alone.operators.items())
        modelled = alone.total + sum(more)
        found = simulated(graph, plan, "nucleo_l4r5zi").total
        print(
            f"| {limit:,} | {plan.head.height}x{plan.head.width} | {plan.arena_bytes:,} | {found:,}"
            f" ({found / alone.total - 1:+.1%}) | {modelled:,.0f} ({modelled / alone.total - 1:+.1%},"
            f" off by {modelled / found - 1:+.1%}) |"
        )


def observed(board: str, widths: tuple[int, ...]) -> Observations:
    """Runs of the whole catalogue."""
    found = Observations()
    isa = load_board(board).core.isa
    for index, (shape, network) in enumerate(CATALOGUE):
        keras.utils.set_random_seed(5)
        inputs = keras.Input(shape)
        end = layers.GlobalAveragePooling2D()(network(inputs))
        model = keras.Model(inputs, layers.Dense(4, activation="softmax")(end))
        for bits in widths if index < _OF_ALL_WIDTHS else widths[:1]:
            graph = quantized(model, bits)
            for plan in catalogue_plans(graph, isa, few=bits != 8):
                add_run(found, graph, plan, board)
    return found


def catalogue_plans(graph: QuantGraph, isa: str, few: bool) -> Iterator[Plan]:
    """The network as a whole, then with one, two, ... operators in patches of each size."""
    topology, bitwidths = graph.topology, graph.bitwidths
    yield make_plan(topology, bitwidths, isa)
    for count in range(1, max(len(head.operators) for head in heads(topology)) + 1):
        rows, columns, _ = topology.image_shape(topology.operators[count - 1].output)
        sizes = [
            (1, 1),
            (1, -(-columns // 4)),
            (1, -(-columns // 2)),
            (1, columns),
            (2, columns),
            (-(-rows // 2), columns),
        ]
        for size in dict.fromkeys([sizes[2], sizes[4]] if few else sizes):
            for loss in (LOSSES[0], LOSSES[-1]) if size == (1, columns) and isa == DSP else (LOSSES[0],):
                if (head := head_of(topology, count, *size)) is not None:
                    yield plan_in_patches(head, topology, bitwidths, isa, loss=loss)


def add_run(found: Observations, graph: QuantGraph, plan: Plan, board: str) -> None:
    """One image: its operators one by one, or those in patches together."""
    topology, cycles = graph.topology, simulated(graph, plan, board).operators
    parts = {} if plan.head is None else dict(zip(plan.head.operators, plan.head.parts, strict=True))
    together: Counter[Work] = Counter()
    for operator in topology.weighted():
        if not isinstance(operator, Conv2D | DepthwiseConv2D) or (parts and operator.name not in parts):
            continue
        choice, bits = plan.choices[operator.name], graph.bitwidths.weights[operator.name]
        for part, count in parts.get(operator.name) or ((whole(operator, topology), 1),):
            for kind, amount in part_work(operator, topology, choice, bits, part).items():
                together[kind] += count * amount  # type: ignore[assignment]  # amounts may be fractions
        if plan.head is None:
            found.add(together, cycles[operator.name])
            together = Counter()
    if plan.head is not None:
        found.add(together, cycles[plan.head.operators[-1]])


@dataclass(frozen=True, slots=True)
class Simulated:
    """Cycles of an inference, and of each operator by name; of those in patches the last one has all."""

    total: int
    operators: dict[str, int]


def simulated(graph: QuantGraph, plan: Plan, board_id: str) -> Simulated:
    """Build an image, run it once, and hold its output against the reference."""
    board = load_board(board_id)
    codes = random_codes(graph, 1)
    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        render_project(graph, plan).write(at / "model")
        render_board(graph, plan, board).write(at / "board")
        compiler = find_compiler(board, "auto")
        image = build(BuildRequest(at / "model", at / "board", at / "build", board, compiler, plan.arena_bytes))
        with Session(SimulatorLink(image.elf, board.source_file), model_hash=graph.digest().hex()) as session:
            measured = measure(session, codes.reshape(1, -1))
    assert (measured.outputs == run(graph, codes).reshape(1, -1)).all(), f"{plan.head}: outputs differ"
    assert measured.cycles
    assert measured.operator_cycles
    executed = [op.name for op in graph.topology.operators if not isinstance(op, Reshape)]
    return Simulated(measured.cycles[0], dict(zip(executed, measured.operator_cycles, strict=True)))


def quantized(model: keras.Model, bits: int) -> QuantGraph:
    """With ranges of random inputs, so that outputs are scaled as those of a trained network are."""
    with tempfile.TemporaryDirectory() as name:
        folder = random_networks.write(model, Path(name))
        graph = canonicalise(load_keras(folder / "model.keras"))
        ranges = observe(graph, load_samples(folder / "calib.npz", graph.input_shape))
    return quantize(graph, ranges, Bitwidths({op.name: bits for op in graph.topology.weighted()}), "minmax")


if __name__ == "__main__":
    main()
