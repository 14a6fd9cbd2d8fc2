"""What `kernels.walks` derives holds for the C: at the last distance that is allowed outputs are the same, one byte
further they are not.

Each nest runs on many shapes, twice on equal data: with its output apart from its input, and overlapping it.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from sq_micro.codegen.operator_views import operator_view
from sq_micro.codegen.piece_views import pieces_fields
from sq_micro.ir.bitwidths import stored_bytes
from sq_micro.ir.operators import Concatenate, Conv2D, Pad, operator_inputs
from sq_micro.kernels.overlap import Overlap
from sq_micro.kernels.pieces import piece_geometry, piece_overlap, pieces_of
from sq_micro.kernels.select import KernelChoice, kernel_choices
from sq_micro.kernels.tiling import Tiling
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import RandomQuantGraph
from tests.unit.kernels.test_c_kernels import FIRMWARE, STRICT, compile_c, host_compiler

RUNNER = Path(__file__).parents[2] / "firmware" / "overlap_runner" / "main.c"
NESTS = re.search(r"enum \{(.*?)\}", RUNNER.read_text(), re.DOTALL)
assert NESTS is not None
NUMBER = {name.lower(): index for index, name in enumerate(re.findall(r"\w+", NESTS[1]))}


@dataclass(frozen=True)
class Case:
    """A nest with its params, and the distances that its walk is said to allow.

    downwards  None where one walk is said to allow both bounds
    """

    nest: str
    words: tuple[int, ...]
    input_bytes: int
    output_bytes: int
    weight_bytes: int
    overlap: Overlap
    downwards: bool | None = None

    def record(self, distance: int) -> bytes:
        sizes = (self.input_bytes, self.output_bytes, self.weight_bytes, len(self.words))
        return struct.pack(f"<6i{len(self.words)}i", NUMBER[self.nest], distance, *sizes, *self.words)

    @property
    def allowed(self) -> list[int]:
        """The last distances on both sides, some beyond them, and apart."""
        below, above = self.overlap.below_bytes, self.overlap.above_bytes
        wanted = {below, below - 1, below - 3, above, above + 1, above + 5, -self.output_bytes, self.input_bytes}
        return sorted(wanted | ({0} if self.overlap.same_start else set()))

    @property
    def too_close(self) -> list[int]:
        """One byte closer than allowed."""
        closer = (self.overlap.below_bytes + 1, self.overlap.above_bytes - 1)
        if self.overlap.same_start:
            closer = (-1, 1)
        if self.downwards is not None:
            closer = closer[1:] if self.downwards else closer[:1]
        return [distance for distance in closer if not self.overlap.allows(distance)]


@cache
def fields(nest: str) -> tuple[str, ...]:
    """The members of a params struct, in order."""
    for header in (FIRMWARE / "kernels" / "operators").glob("*.h"):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
        alias = re.search(rf"typedef (\w+) sqm_{nest}_params;", text)
        found = re.search(rf"\{{([^}}]*)\}} {alias[1] if alias else f'sqm_{nest}_params'};", text)
        if found:
            return tuple(re.findall(r"int32_t (\w+);", found[1]))
    raise AssertionError(nest)


def params(graph: QuantGraph, choice: KernelChoice, downwards: bool = False) -> dict[str, int]:
    """What code generation passes to the nest of the last operator."""
    operator = graph.topology.operators[-1]
    plan = make_plan(graph.topology, graph.bitwidths)
    plan = replace(
        plan,
        choices={**plan.choices, operator.name: choice},
        downwards=frozenset({operator.name} if downwards else ()),
    )
    return {field.name: int(field.value) for field in operator_view(graph, plan, operator, 0, "x").params}


def cases(nest: str, graph: QuantGraph, all_choices: bool = False) -> Iterator[Case]:
    """The last operator of a graph, in each of its ways; a convolution once for either direction."""
    topology, operator = graph.topology, graph.topology.operators[-1]
    source = operator_inputs(operator)[0]
    sizes = topology.elements(source), topology.elements(operator.output)
    weights = topology.elements(operator.weights) if hasattr(operator, "weights") else 0
    choices = kernel_choices(topology, graph.bitwidths)[operator.name]
    for choice in choices if all_choices else choices[:1]:
        overlap = choice.overlaps[source]
        if choice.tiling is None:
            words = params(graph, choice)
            yield Case(nest, tuple(words[name] for name in fields(_struct(nest))), *sizes, weights, overlap)
            continue
        for downwards in (False, True):
            words = params(graph, choice, downwards)
            one_way = replace(overlap, **({"below_bytes": -sizes[1]} if downwards else {"above_bytes": sizes[0]}))
            yield Case(nest, tuple(words[name] for name in fields("conv2d")), *sizes, weights, one_way, downwards)


def _struct(nest: str) -> str:
    return nest.removesuffix("_twice")


def last(shape: tuple[int, ...], add: Callable[[RandomQuantGraph], str], seed: int = 0) -> QuantGraph:
    builder = RandomQuantGraph(seed, shape)
    return builder.build(add(builder))


# ---- Shapes ----------------------------------------------------------------------------------------------------


def convolutions(bits: int) -> Iterator[Case]:
    """Windows, strides, pads and dilations on images of up to 8x7, with all tilings that may be chosen."""
    windows = (((1, 1), "valid"), ((3, 3), "same"), ((2, 3), "valid"), ((3, 2), Pad(2, 0, 0, 2)), ((1, 4), "same"))
    shapes = (((1, 9), (1, 3)), ((5, 4), (4, 4)), ((8, 7), (3, 7)), ((6, 5), (8, 4)), ((4, 6), (2, 12)))
    for (window, padding), (image, channels), stride in product(windows, shapes, ((1, 1), (2, 2), (1, 3))):
        if window[0] > image[0] or window[1] > image[1]:
            continue
        graph = last(
            (*image, channels[0]),
            lambda b, w=window, s=stride, p=padding, c=channels[1]: b.conv2d(b.input, c, w, s, padding=p, bits=bits),
        )
        yield from cases(f"conv2d_w{bits}", graph, all_choices=True)
    dilated = last((7, 7, 3), lambda b: b.conv2d(b.input, 5, (3, 3), dilation=(2, 3), bits=bits))
    yield from cases(f"conv2d_w{bits}", dilated, all_choices=True)


def pools(nest: str) -> Iterator[Case]:
    for image, channels, window, stride, padding in product(
        ((1, 6), (5, 5), (6, 4)), (1, 3), ((1, 1), (1, 2), (2, 2), (3, 3)), ((1, 1), (2, 2), (1, 3)), ("same", "valid")
    ):
        if window[0] <= image[0] and window[1] <= image[1]:
            add = getattr(RandomQuantGraph, nest)
            graph = last((*image, channels), lambda b, a=add, w=window, s=stride, p=padding: a(b, b.input, w, s, p))
            yield from cases(nest, graph)


def paddings() -> Iterator[Case]:
    for image, channels, pad in product(
        ((1, 5), (4, 3)), (1, 3), (Pad(1, 1, 1, 1), Pad(0, 2, 0, 0), Pad(2, 0, 0, 3), Pad(0, 0, 1, 0))
    ):
        yield from cases("pad2d", last((*image, channels), lambda b, p=pad: b.pad2d(b.input, p)))


def depthwise() -> Iterator[Case]:
    for image, channels, stride, padding in product(
        ((1, 6), (5, 4), (7, 3)), (1, 3, 8), ((1, 1), (2, 2), (1, 2)), ("same", Pad(2, 0, 1, 1))
    ):
        graph = last(
            (*image, channels), lambda b, s=stride, p=padding: b.depthwise_conv2d(b.input, (3, 3), s, padding=p)
        )
        yield from cases("depthwise_conv2d", graph)


def denses() -> Iterator[Case]:
    for inputs, outputs in product((1, 5, 17, 40), (1, 2, 9, 33)):
        yield from cases("dense", last((inputs,), lambda b, n=outputs: b.dense(b.input, n)))


def elementwise(nest: str) -> Iterator[Case]:
    for seed, shape in enumerate(((1,), (9,), (3, 2, 5), (4, 4, 3))):
        add: Callable[[RandomQuantGraph], str] = {
            "add": lambda b: b.add(b.input, b.input),
            "add_twice": lambda b: b.add(b.input, b.input),
            "mean": lambda b: b.mean(b.input),
            "rescale": lambda b: b.requantize(b.input),
            "sigmoid": lambda b: b.sigmoid(b.input),
            "softmax": lambda b: b.softmax(b.input),
        }[nest]
        if nest != "mean" or len(shape) == 3:
            yield from cases(nest, last(shape, add, seed))


def concatenations() -> Iterator[Case]:
    for shape, axis, others in product(((3, 2, 4), (1, 4, 2)), (1, 2, 3), ((1,), (3, 2))):
        builder = RandomQuantGraph(0, shape)
        tensors = [builder.input]
        for size in others:
            grown = [*shape]
            grown[axis - 1] = size
            tensors.append(_of_shape(builder, tuple(grown)))
        graph = builder.build(builder.concatenate(tuple(tensors), axis))
        operator = graph.topology.operators[-1]
        assert isinstance(operator, Concatenate)
        (choice,) = kernel_choices(graph.topology, graph.bitwidths)[operator.name]
        output = graph.topology.shape(operator.output)
        slices, whole = _product(output[1:axis]), _product(output[axis:])
        parts = [_product(graph.topology.shape(tensor)[axis:]) for tensor in operator.inputs]
        for index, tensor in enumerate(operator.inputs):
            words = (slices, whole, index, len(parts), *parts)
            sizes = graph.topology.elements(tensor), graph.topology.elements(operator.output)
            yield Case("concatenate", words, *sizes, 0, choice.overlaps[tensor])


def pieces() -> Iterator[Case]:
    """Activations of 4 bits on either side or on both, in small and large pieces, both ways. With one channel, or an
    odd number of them, pieces begin and end amid a byte.
    """
    windows = (((1, 1), (1, 1), "valid"), ((3, 3), (1, 1), "same"), ((2, 3), (1, 2), "valid"), ((3, 3), (2, 2), "same"))
    shapes = (((1, 9), (1, 3)), ((5, 4), (1, 1)), ((5, 3), (3, 2)), ((4, 6), (2, 5)))
    for (window, stride, padding), (image, channels) in product(windows, shapes):
        if window[0] > image[0]:
            continue
        graph = last(
            (*image, channels[0]),
            lambda b, w=window, s=stride, p=padding, c=channels[1]: b.conv2d(b.input, c, w, s, padding=p),
        )
        operator = graph.topology.operators[-1]
        assert isinstance(operator, Conv2D)
        geometry = piece_geometry(operator, graph.topology)
        rows, columns = geometry.pixels
        sizes = dict.fromkeys(
            (Tiling(1, 1), Tiling(1, -(-columns // 2)), Tiling(1, columns), Tiling(-(-rows // 2), columns))
        )
        for size, bits, downwards in product(sizes, ((4, 4), (4, 8), (8, 4)), (False, True)):
            taken = pieces_of(operator, geometry, size, 0)
            overlap = piece_overlap(operator, graph.topology, taken, *bits)
            stored = (
                stored_bytes(graph.topology.elements(tensor), width)
                for tensor, width in zip((operator.input, operator.output), bits, strict=True)
            )
            input_bytes, output_bytes = stored
            one_way = replace(
                overlap, **({"below_bytes": -output_bytes} if downwards else {"above_bytes": input_bytes})
            )
            words = (*pieces_fields(taken, downwards).values(), *bits)
            yield Case("pieces", words, input_bytes, output_bytes, 0, one_way, downwards)


def _of_shape(builder: RandomQuantGraph, shape: tuple[int, ...]) -> str:
    """Some tensor of a shape, whatever it holds."""
    flat = builder.reshape(builder.input, (_product(builder.shape(builder.input)),))
    return builder.reshape(builder.dense(flat, _product(shape)), shape)


def _product(sizes: tuple[int, ...]) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result


SHAPES: dict[str, Callable[[], Iterator[Case]]] = {
    "conv2d_w8": lambda: convolutions(8),
    "conv2d_w4": lambda: convolutions(4),
    "max_pool2d": lambda: pools("max_pool2d"),
    "average_pool2d": lambda: pools("average_pool2d"),
    "pad2d": paddings,
    "depthwise_conv2d": depthwise,
    "dense": denses,
    "concatenate": concatenations,
    "pieces": pieces,
} | {
    name: lambda name=name: elementwise(name) for name in ("add", "add_twice", "mean", "rescale", "sigmoid", "softmax")
}


# ---- The claims ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("overlap") / "runner"
    compile_c(host_compiler("gcc"), *STRICT, "-O1", RUNNER, "-o", program)
    return program


def equal(runner: Path, records: list[bytes]) -> list[bool]:
    """For each record whether the outputs were equal."""
    done = subprocess.run([runner], input=b"".join(records), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout) == len(records)
    return [byte == 1 for byte in done.stdout]


@pytest.mark.parametrize("nest", SHAPES)
def test_outputs_are_the_same_at_every_distance_that_is_allowed(nest: str, runner: Path) -> None:
    tried = [(case, distance) for case in SHAPES[nest]() for distance in case.allowed]
    same = equal(runner, [case.record(distance) for case, distance in tried])
    wrong = [pair for pair, good in zip(tried, same, strict=True) if not good]
    assert not wrong, f"{len(wrong)} of {len(tried)}, first {wrong[0]}"


# The share of cases that must show the damage. Some cannot: the byte that is lost lies between those of a stride,
# or a clamp gives the same code for it.
CAUGHT = 0.5


def hidden(runner: Path, tried: list[tuple[Case, int]]) -> list[tuple[Case, int]]:
    """Those whose outputs are the same all the same."""
    same = equal(runner, [case.record(distance) for case, distance in tried])
    return [pair for pair, good in zip(tried, same, strict=True) if good]


@pytest.mark.parametrize("nest", SHAPES)
def test_one_byte_closer_is_caught(nest: str, runner: Path) -> None:
    tried = [(case, distance) for case in SHAPES[nest]() for distance in case.too_close]
    unnoticed = hidden(runner, tried)
    assert len(unnoticed) <= (1 - CAUGHT) * len(tried), f"{len(unnoticed)} of {len(tried)}, first {unnoticed[0]}"


def test_every_half_byte_that_is_lost_is_caught(runner: Path) -> None:
    """Each output is a sum of what was read. Bounds are exact, except at 0, which no bound goes beyond."""
    exact = [case for case in pieces() if (case.overlap.above_bytes if case.downwards else case.overlap.below_bytes)]
    tried = [(case, distance) for case in exact for distance in case.too_close]
    odd = [case for case, _ in tried if case.words[2] % 2 or case.words[5] % 2]
    assert len(odd) > len(tried) / 4, "few pieces begin amid a byte"
    assert hidden(runner, tried) == []
