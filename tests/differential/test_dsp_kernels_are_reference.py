"""A fuzzer of the kernels for DSP cores: random layers on the simulated core, each byte compared with the reference.

One image reads any number of layers over its UART: shapes, windows, strides, dilations, pads, channels, widths and
zero points are data to it. Packing and tables are those that code generation prints.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from sq_micro.board import load_board
from sq_micro.codegen.constants import constant_arrays, exact_choice
from sq_micro.codegen.depthwise_nests import depthwise_nest, depthwise_params
from sq_micro.codegen.lane_nests import lane_nest, lane_params
from sq_micro.codegen.render import render_board
from sq_micro.codegen.views import ArrayView
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.operators import RELU, ActivationFunction, Conv2D, Dense, DepthwiseConv2D, Pad
from sq_micro.kernels.columns import COLUMNS_KINDS, columns_kind
from sq_micro.kernels.dsp import DSP
from sq_micro.kernels.select import select_kernels
from sq_micro.paths import project_files
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams, Int8Array
from sq_micro.quant.verify import verify_quant_graph
from sq_micro.reference.golden_vectors import require_equal
from sq_micro.reference.interpreter import run
from tests.models.random_quant_graph import RandomQuantGraph, random_codes
from tests.unit.simulate.child_run import Child

pytest.importorskip("unicorn", reason="unicorn is not installed")
pytestmark = [
    pytest.mark.simulator,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="arm-none-eabi-gcc is not installed"),
]

FIRMWARE = project_files() / "firmware"
SERVER = Path(__file__).parents[1] / "firmware" / "kernel_server" / "main.c"
BOARD = "nucleo_l4r5zi"
_ACTIVATIONS = (ActivationFunction(), RELU, RELU, ActivationFunction(0.0, 4.0))


@dataclass(frozen=True)
class Layer:
    """A network of one operator."""

    seed: int
    graph: QuantGraph

    @property
    def operator(self) -> Conv2D | DepthwiseConv2D | Dense:
        (operator,) = self.graph.topology.operators
        assert isinstance(operator, Conv2D | DepthwiseConv2D | Dense)
        return operator

    def __str__(self) -> str:
        topology, op = self.graph.topology, self.operator
        shapes = " -> ".join(str(topology.shape(tensor)[1:]) for tensor in (op.input, op.output))
        return f"seed {self.seed}: {self.graph.bitwidths.weights[op.name]} bits, {shapes}, {op}"


def random_layer(seed: int) -> Layer:
    """Mostly the shapes that networks have; windows, strides, pads and channels beyond them too."""
    draw = random.Random(seed)
    bits = draw.choice(WEIGHT_BITS)
    activation = draw.choice(_ACTIVATIONS)
    # A zero point of -128 and a whole clamp are what a ReLU gives: the assembly's own requantization.
    params = ActivationParams(2.0 ** draw.uniform(-7, -3), draw.choice([-128, -128, 127, draw.randrange(-128, 128)]))
    multiplier = draw.choice([None, None, 0.6, 1.3])
    if draw.random() < 0.3:
        builder = RandomQuantGraph(seed, (draw.choice([1, 7, 8, 16, 33, 64, draw.randrange(1, 200)]),), params)
        units = draw.choice([1, 4, 8, 10, 12, draw.randrange(1, 40)])
        return _layer(seed, builder, builder.dense(builder.input, units, activation, bits, multiplier))
    if draw.random() < 0.4:
        return _depthwise(seed, draw, params, activation, bits, multiplier)
    channels = draw.choice([1, 1, 2, 3, 4, 8, 16, draw.randrange(1, 24)])
    image = draw.randrange(1, 12), draw.randrange(1, 12)
    builder = RandomQuantGraph(seed, (*image, channels), params)
    window = draw.choice([(1, 1), (3, 3), (3, 3), (draw.randrange(1, 5), draw.randrange(1, 5))])
    stride = draw.choice([(1, 1), (2, 2), (draw.randrange(1, 4), draw.randrange(1, 4))])
    dilation = draw.choice([(1, 1), (1, 1), (draw.randrange(1, 3), draw.randrange(1, 3))])
    spans = [(taps - 1) * spacing for taps, spacing in zip(window, dilation, strict=True)]
    padding = draw.choice(
        ["same", "same", Pad(*(draw.randrange(0, 3) + span for span in spans for _ in range(2))), Pad()]
    )
    if padding == Pad() and any(span >= size for span, size in zip(spans, image, strict=True)):
        padding = "same"
    outputs = draw.choice([4, 8, 16, draw.randrange(1, 20)])
    output = builder.conv2d(builder.input, outputs, window, stride, dilation, padding, activation, bits, multiplier)
    return _layer(seed, builder, output)


def _depthwise(
    seed: int,
    draw: random.Random,
    params: ActivationParams,
    activation: ActivationFunction,
    bits: int,
    multiplier: float | None,
) -> Layer:
    """Windows of every length on images of one row or column and of more; some that go to portable C are drawn anew."""
    for attempt in count():
        rng = random.Random(f"{seed} {attempt} {draw.random()}")
        window = rng.choice([(5, 5), (3, 3), (1, rng.randrange(1, 14)), (rng.randrange(1, 14), 1), (7, 7)])
        window = rng.choice([window, (rng.randrange(1, 9), rng.randrange(1, 9))])
        stride = rng.choice([(1, 1), (1, 1), (2, 2), (1, 2), (2, 1), (rng.randrange(1, 4), rng.randrange(1, 4))])
        dilation = rng.choice([(1, 1), (1, 1), (rng.randrange(1, 4), rng.randrange(1, 4))])
        three = rng.random() < 0.4  # the kernel for 3x3 windows, and mostly its own requantization
        if three:
            activation = rng.choice([activation, ActivationFunction(), ActivationFunction()])
            window, stride, dilation = (3, 3), rng.choice([(1, 1), (2, 2)]), (1, 1)
        spans = [(taps - 1) * spacing for taps, spacing in zip(window, dilation, strict=True)]
        padding = rng.choice(["same", "same", Pad(*(rng.randrange(0, 3) + span for span in spans for _ in range(2)))])
        image = rng.choice([(rng.randrange(1, 12), rng.randrange(1, 12)), (1, rng.randrange(1, 40))])
        channels = rng.choice([1, 4, 8, rng.randrange(1, 12)])
        depth = 1 if three else rng.choice([1, 1, 1, 1, 2, 4, 8])
        builder = RandomQuantGraph(seed, (*image, channels), params)
        options = (window, stride, dilation, padding, depth, activation, bits, multiplier)
        layer = _layer(seed, builder, builder.depthwise_conv2d(builder.input, *options))
        (choice,) = select_kernels(layer.graph.topology, layer.graph.bitwidths, DSP).values()
        if choice.nest_isa == DSP:
            return layer
    raise AssertionError


def _layer(seed: int, builder: RandomQuantGraph, output: str) -> Layer:
    return Layer(seed, builder.build(output))


NESTS = ("conv2d__armv7em_dsp", "dense__armv7em_dsp", "depthwise3x3__armv7em_dsp", "depthwise_strips__armv7em_dsp")
IN_PLACE, UNPACKS_FOUR, COLUMNS_SHIFT = 1, 2, 8  # flags of a case, see kernel_server/main.c


def case_of(layer: Layer, codes: Int8Array) -> bytes:
    """What the image reads for a layer and one sample."""
    graph, op = layer.graph, layer.operator
    choice = select_kernels(graph.topology, graph.bitwidths, DSP)[op.name]
    assert exact_choice(graph, choice, op) == choice, f"{layer}: the weights are too large for the kernel"
    arrays = {array.symbol: _values(array) for array in constant_arrays(graph, choice, op, "x")}
    flags = 0
    if isinstance(op, DepthwiseConv2D):
        params, nest, meaning = depthwise_params(graph, op), depthwise_nest(graph, op), "x_steps"
        flags |= IN_PLACE if choice.overlaps[op.input].same_start and layer.seed % 2 else 0
        flags |= UNPACKS_FOUR if choice.variant is not None and choice.variant.isa == DSP else 0
    else:
        params, nest, meaning = lane_params(graph, op, choice), lane_nest(op), "x_meaning"
        if isinstance(op, Conv2D):
            kind = COLUMNS_KINDS.index(columns_kind(op, graph.topology, choice.taps))
            flags |= (2 * kind + (params["taps_sums"] != 0)) << COLUMNS_SHIFT
    parts = [struct.pack(f"<{len(params)}i", *params.values()), codes.tobytes()]
    parts += [arrays.get(symbol, b"") for symbol in ("x_weights", meaning, "x_table")]
    sizes = [len(part) for part in parts]
    numbers = (NESTS.index(nest), graph.bitwidths.weights[op.name], flags, *sizes, choice.scratch_bytes)
    head = struct.pack("<10I", *numbers, graph.topology.elements(op.output))
    return head + b"".join(part + bytes(-len(part) % 4) for part in parts)


def _values(array: ArrayView) -> bytes:
    numbers = [
        int(word, 0)
        for line in array.lines
        for word in line.rstrip(",").replace("INT32_MIN", str(-(1 << 31))).split(",")
    ]
    kind = np.uint32 if array.type.endswith("32_t") else np.uint8
    return np.array(numbers, np.int64).astype(kind).tobytes()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image for cores with an FPU."""
    return image(tmp_path_factory.mktemp("kernel_server"), load_board(BOARD).core.flags)


def image(folder: Path, core: tuple[str, ...]) -> Path:
    """The bench firmware's start-up and UART around the nests."""
    graph = random_layer(0).graph
    render_board(graph, make_plan(graph.topology, graph.bitwidths), load_board(BOARD)).write(folder)
    flags = [*core, "-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    flags += ["-ffreestanding", "-fno-builtin", "-fno-tree-loop-distribute-patterns", "-nostdlib"]
    sources = [SERVER, *sorted((FIRMWARE / "soc/cortex_m").glob("*.c")), FIRMWARE / "soc/fault_report.c"]
    sources += [FIRMWARE / "soc/stm32l4r5/clock.c"]
    sources += [FIRMWARE / "hal" / name for name in ("uart_stm32_usart.c", "memory.c")]
    sources += [FIRMWARE / "protocol" / f"{name}.c" for name in ("frame", "cobs", "crc32")]  # faults are reported
    includes = [f"-I{path}" for path in (folder, FIRMWARE, FIRMWARE / "include")]
    (folder / "sqm_stack.ld").write_text("sqm_stack_bytes = 4096;\n", encoding="utf-8")
    linker = ["-L", folder, "-T", folder / "linker.ld", "-Wl,--entry=sqm_reset", "-lgcc"]
    elf = folder / "server.elf"
    command = ["arm-none-eabi-gcc", *flags, *includes, *sources, *linker, "-o", elf]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return elf


def compare(server: Path, seeds: Iterator[int]) -> None:
    """Raises at the first layer that differs, naming the layer, the index and both values."""
    with Child(server) as child:
        for seed in seeds:
            layer = random_layer(seed)
            verify_quant_graph(layer.graph)
            codes = random_codes(layer.graph, 1, seed)
            expected = run(layer.graph, codes).reshape(1, -1)
            child.send(case_of(layer, codes))
            answer = child.uart(expected.size + 4)
            require_equal(str(layer), np.frombuffer(answer[:-4], np.int8)[None], expected)
            assert answer[-4:] == bytes(4), f"{layer}: something beside output and scratch was written"


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_random_layers(first: int, server: Path) -> None:
    compare(server, iter(range(first, first + 100)))


def test_random_layers_without_an_fpu(tmp_path: Path) -> None:
    compare(image(tmp_path, ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")), iter(range(300, 350)))


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 6000, 500))
def test_many_random_layers(first: int, server: Path) -> None:
    compare(server, iter(range(first, first + 500)))
