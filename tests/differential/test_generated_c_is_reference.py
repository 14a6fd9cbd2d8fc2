"""Generated C computes what the reference computes, operator by operator, under the sanitizers.

All networks are compiled into one program. An operator that differs, reads what nobody wrote, or writes outside
its output and its scratch is named, with the index and both values.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from itertools import cycle, repeat
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import GoldenMismatchError
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.operators import RELU, RELU6, ActivationFunction, Pad
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import ActivationParams, Int8Array
from sq_micro.quant.verify import verify_quant_graph
from sq_micro.reference.golden_vectors import require_equal
from sq_micro.reference.interpreter import run
from tests.differential.c_models import Model, build_runner, make_models
from tests.models.random_quant_graph import RandomQuantGraph, random_codes, random_network

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("generated_c"),  # one binary for all of them
    pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed"),
]

SAMPLES = 6


# ---- The networks ----------------------------------------------------------------------------------------------


def every_operator(seed: int, widths: Iterator[int]) -> QuantGraph:
    """Each operator at least once, its geometry awkward: odd channels, one-sided pads, dilation, windows in the pad."""
    builder = RandomQuantGraph(seed, (9, 8, 3))

    def bits() -> int:
        return next(widths)

    x = builder.conv2d(builder.input, 6, activation=RELU, bits=bits())
    x = builder.conv2d(x, 5, (2, 3), dilation=(2, 1), padding=Pad(2, 0, 0, 2), bits=bits())
    y = builder.depthwise_conv2d(x, padding=Pad(0, 2, 1, 1), depth_multiplier=2, activation=RELU6, bits=bits())
    y = builder.conv2d(y, 5, (1, 1), bits=bits())
    x = builder.add(x, y, ActivationFunction(None, 1.5))
    y = builder.depthwise_conv2d(x, (2, 4), (2, 2), (1, 2), Pad(1, 0, 4, 3), bits=bits())
    pooled = builder.max_pool2d(builder.pad2d(x, Pad(1, 0, 0, 2)), (3, 2), (2, 3), "same")
    flat = [builder.reshape(tensor, (int(np.prod(builder.shape(tensor))),)) for tensor in (y, pooled)]
    features = builder.concatenate((flat[0], flat[1]))
    z = builder.conv2d(x, 2, (3, 3), (2, 3), (1, 2), Pad(4, 1, 0, 5), RELU, bits())
    z = builder.average_pool2d(z, (2, 3), (1, 2), "same")
    z = builder.concatenate((z, builder.requantize(z), builder.sigmoid(z)), axis=1)
    features = builder.concatenate((features, builder.mean(z), builder.mean(builder.relu(x))))
    features = builder.dense(features, 13, RELU, bits=bits())
    return builder.build(builder.softmax(builder.dense(features, 7, bits=bits(), multiplier=1.7)))


def sequence(seed: int, widths: Iterator[int]) -> QuantGraph:
    """Images of one row, as one-dimensional layers become."""
    builder = RandomQuantGraph(seed, (1, 23, 4))
    x = builder.conv2d(builder.input, 9, (1, 5), (1, 2), activation=RELU, bits=next(widths))
    x = builder.depthwise_conv2d(x, (1, 3), dilation=(1, 3), bits=next(widths))
    x = builder.max_pool2d(x, (1, 2), (1, 2))
    x = builder.conv2d(x, 1, (1, 3), dilation=(1, 2), padding="valid", bits=next(widths))
    return builder.build(builder.sigmoid(builder.reshape(x, (2,))))


def extreme_zero_points(seed: int, zero_point: int) -> QuantGraph:
    """Padding with a zero point at the end of its range, which an int8 could not be negated to."""
    builder = RandomQuantGraph(seed, (5, 5, 2), ActivationParams(0.03, zero_point))
    x = builder.conv2d(builder.input, 4, padding=Pad(2, 1, 1, 2))
    y = builder.depthwise_conv2d(builder.input, padding=Pad(2, 1, 1, 2), depth_multiplier=2)
    return builder.build(builder.add(x, y))


def curve(kind: str, scale: float, zero_point: int) -> QuantGraph:
    """An operator on all codes: the input is a vector of 256."""
    builder = RandomQuantGraph(1, (256,), ActivationParams(scale, zero_point))
    return builder.build(getattr(builder, kind)(builder.input))


def flat_softmax(depth: int) -> QuantGraph:
    """So many classes that all probabilities round to 0: the division shifts by more than 31 bits."""
    builder = RandomQuantGraph(1, (depth,), ActivationParams(0.001, 3))
    return builder.build(builder.softmax(builder.input))


def networks() -> dict[str, QuantGraph]:
    found = {f"every_operator_w{bits}": every_operator(bits, repeat(bits)) for bits in WEIGHT_BITS}
    found["every_operator_mixed"] = every_operator(1, cycle(WEIGHT_BITS))
    found |= {f"sequence_{first}": sequence(first, cycle(WEIGHT_BITS[first:])) for first in (0, 3)}
    found |= {f"zero_point_{index}": extreme_zero_points(index, (-128, 127)[index]) for index in (0, 1)}
    for index, scale in enumerate((4e-9, 0.004, 0.06, 1.7)):
        found[f"sigmoid_{index}"] = curve("sigmoid", scale, (0, -128, 127, 5)[index])
    for index, scale in enumerate((0.002, 0.1, 3.0)):
        found[f"softmax_{index}"] = curve("softmax", scale, -7)
        found[f"relu_{index}"] = curve("relu", scale, (-128, 127, 5)[index])
        found[f"requantize_{index}"] = curve("requantize", scale, (-128, 127, 5)[index])
    found |= {f"flat_softmax_{depth}": flat_softmax(depth) for depth in (511, 512, 600, 2000)}
    found |= {f"random_{seed}": random_network(seed) for seed in range(100, 106)}
    return found


def small_networks() -> dict[str, QuantGraph]:
    """For small kernels, which are told the width: each operator meets several."""
    found = {f"small_{first}": every_operator(7 + first, cycle(WEIGHT_BITS[first:])) for first in range(3)}
    return found | {"small_sequence": sequence(5, cycle(WEIGHT_BITS[1:]))}


SMALL_NETWORKS = small_networks()
NETWORKS = networks() | SMALL_NETWORKS


def inputs(name: str, graph: QuantGraph) -> Int8Array:
    """Random codes, after both ends of their range; for curves all codes, once."""
    shape = graph.topology.shape(graph.topology.input)[1:]
    if shape == (256,):
        return np.arange(-128, 128, dtype=np.int64).astype(np.int8)[None]
    ends = np.stack([np.full(shape, end, np.int8) for end in (-128, 127)])
    return np.concatenate([ends, random_codes(graph, SAMPLES - 2, len(name))])


# ---- Building and running --------------------------------------------------------------------------------------

MODELS = make_models(NETWORKS, small=SMALL_NETWORKS)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All models in one program."""
    return build_runner(MODELS, tmp_path_factory.mktemp("generated"))


# ---- The claim -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_generated_c_is_the_reference(name: str, runner: Path) -> None:
    model = MODELS[name]
    verify_quant_graph(model.graph)
    codes = inputs(name, model.graph)
    done = subprocess.run([runner, str(model.index)], input=codes.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    require_reference(model, codes, np.frombuffer(done.stdout, np.int8).reshape(len(codes), -1))


def require_reference(model: Model, codes: Int8Array, got: Int8Array) -> None:
    """got (samples, all operators' outputs, then the model's). Raises GoldenMismatchError at the first difference."""
    expected: dict[str, Int8Array] = {}
    output = run(model.graph, codes, lambda op, result: expected.update({op.name: result.reshape(len(codes), -1)}))
    at = 0
    for operator in model.executed:
        size = expected[operator.name].shape[1]
        require_equal(operator.name, got[:, at : at + size], expected[operator.name])
        at += size
    require_equal("the model's output", got[:, at:], output.reshape(len(codes), -1))


def test_the_first_difference_is_named(runner: Path) -> None:
    model = MODELS["every_operator_mixed"]
    codes = inputs("every_operator_mixed", model.graph)
    done = subprocess.run([runner, str(model.index)], input=codes.tobytes(), capture_output=True, check=True)
    got = np.frombuffer(done.stdout, np.int8).reshape(len(codes), -1).copy()
    second = model.graph.topology.elements(model.executed[0].output) + 5
    got[0, second:] ^= 1
    with pytest.raises(GoldenMismatchError) as caught:
        require_reference(model, codes, got)
    assert (caught.value.operator, caught.value.index) == (model.executed[1].name, 5)
    assert caught.value.got == caught.value.expected ^ 1


def test_the_networks_hold_every_operator_at_every_width() -> None:
    kinds = {type(op).__name__ for op in MODELS["every_operator_mixed"].graph.topology.operators}
    assert kinds == {
        *("Conv2D", "DepthwiseConv2D", "Dense", "Add", "Concatenate", "Pad2D", "MaxPool2D", "AveragePool2D"),
        *("Mean", "Reshape", "Relu", "Softmax", "Sigmoid", "Requantize"),
    }
    for bits in WEIGHT_BITS:
        assert set(MODELS[f"every_operator_w{bits}"].graph.bitwidths.weights.values()) == {bits}
    assert set(MODELS["every_operator_mixed"].graph.bitwidths.weights.values()) == set(WEIGHT_BITS)
