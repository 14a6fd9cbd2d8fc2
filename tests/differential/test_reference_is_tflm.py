"""The reference equals TFLite Micro's reference kernels, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.operators import NONE, RELU, RELU6, ActivationFunction, Mean, Pad
from sq_micro.quant.arithmetic import ChannelRequantization, derive_multiplier, requantize_rescaling
from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.quant.params import ActivationParams, WeightParams
from sq_micro.quant.requantize import requantize
from sq_micro.reference.lookup import rescaling_table
from tests.models.random_quant_graph import ACTIVATIONS, RandomQuantGraph, random_codes, random_network, resnet8
from tests.models.tflm_oracle import require_tflm, require_tflm_everywhere

pytest.importorskip("tflite_micro")
pytestmark = pytest.mark.oracle

ALL_CODES = np.arange(-128, 128, dtype=np.int64).astype(np.int8)
OUTPUT = ActivationParams(2.0**-5, 0)
RELU_1_TO_1 = ActivationFunction(-1.0, 1.0)
WINDOWS = [
    # window, stride, dilation, padding
    ((1, 1), (1, 1), (1, 1), "valid"),
    ((1, 1), (2, 2), (1, 1), "same"),
    ((3, 3), (1, 1), (1, 1), "same"),
    ((3, 3), (2, 2), (1, 1), "same"),
    ((3, 3), (2, 1), (1, 1), "valid"),
    ((3, 3), (1, 1), (2, 2), "same"),
    ((3, 3), (1, 1), (2, 3), "valid"),
    ((2, 5), (1, 2), (1, 1), "same"),
    ((4, 1), (3, 2), (2, 1), "same"),
    ((1, 7), (1, 1), (1, 1), "same"),
    ((3, 3), (2, 2), (1, 1), Pad(1, 1, 1, 1)),
    ((3, 3), (1, 1), (1, 1), Pad(2, 0, 0, 3)),
    ((5, 5), (2, 3), (1, 1), Pad(0, 4, 2, 2)),
    ((2, 2), (2, 2), (2, 1), Pad(1, 0, 0, 0)),
    ((1, 1), (3, 3), (1, 1), Pad(1, 2, 3, 4)),
]
IMAGES = [(9, 11, 3), (10, 8, 1), (8, 13, 7)]


@pytest.mark.parametrize(("case", "image"), list(product(range(len(WINDOWS)), IMAGES)))
def test_conv2d_is_tflms(case: int, image: tuple[int, int, int]) -> None:
    window, stride, dilation, padding = WINDOWS[case]
    for offset, activation in enumerate((*ACTIVATIONS, RELU_1_TO_1)):
        seed = 1000 * case + 100 * image[0] + offset
        bits = WEIGHT_BITS[seed % len(WEIGHT_BITS)]
        builder = RandomQuantGraph(seed, image)
        x = builder.conv2d(builder.input, 1 + seed % 9, window, stride, dilation, padding, activation, bits)
        graph = builder.build(x)
        require_tflm(graph, random_codes(graph, 4, seed))


@pytest.mark.parametrize(("case", "depth_multiplier"), list(product(range(len(WINDOWS)), (1, 2, 5))))
def test_depthwise_conv2d_is_tflms(case: int, depth_multiplier: int) -> None:
    window, stride, dilation, padding = WINDOWS[case]
    for offset, (image, activation) in enumerate(product(IMAGES, (NONE, RELU, RELU6))):
        seed = 1000 * case + 100 * depth_multiplier + offset
        bits = WEIGHT_BITS[seed % len(WEIGHT_BITS)]
        builder = RandomQuantGraph(seed, image)
        graph = builder.build(
            builder.depthwise_conv2d(
                builder.input, window, stride, dilation, padding, depth_multiplier, activation, bits
            )
        )
        require_tflm(graph, random_codes(graph, 4, seed))


@pytest.mark.parametrize("units", [1, 2, 3, 10, 33])
@pytest.mark.parametrize("inputs", [1, 7, 64, 640])
def test_dense_is_tflms(units: int, inputs: int) -> None:
    for bits, activation in product(WEIGHT_BITS, (NONE, RELU, RELU6, ACTIVATIONS[3])):
        seed = 1000 * units + 10 * inputs + bits
        builder = RandomQuantGraph(seed, (inputs,))
        graph = builder.build(builder.dense(builder.input, units, activation, bits))
        require_tflm(graph, random_codes(graph, 8, seed))


def test_dense_of_one_unit_multiplies_its_scales_in_float64() -> None:
    """Large biases bring the accumulators next to a tie, where the last bits of the multiplier decide."""
    differing = 0
    for seed in range(60):
        graph = one_unit_beside_a_tie(seed)
        got = require_tflm(graph, ALL_CODES[:, None])
        product = np.float32(graph.input_params.scale) * graph.weights["dense_0/w"].scale[0]
        scaled = derive_multiplier(float(product) / OUTPUT.scale)
        accumulators = (ALL_CODES.astype(np.int64) - graph.input_params.zero_point) + graph.biases["dense_0/b"]
        differing += bool((requantize(accumulators, *scaled) + OUTPUT.zero_point != got[:, 0]).any())
    assert differing > 10  # a product in float32, as other versions of TFLite Micro have it, would show


def one_unit_beside_a_tie(seed: int) -> QuantGraph:
    """A Dense of one weight, 1; its bias is where the output is half-way between two codes."""
    rng = np.random.default_rng(seed)
    real = float(2.0 ** rng.uniform(-24, -22))
    builder = RandomQuantGraph(seed, (1,))
    graph = builder.build(builder.dense(builder.input, 1))
    scale = np.array([real * OUTPUT.scale / graph.input_params.scale], np.float32)
    weights = {"dense_0/w": WeightParams(scale, 8, 0)}
    activations = {**graph.activations, "dense_0": OUTPUT}
    arithmetic = derive_arithmetic(graph.topology.operators[0], graph.topology, activations, weights)
    assert isinstance(arithmetic, ChannelRequantization)
    factor = int(arithmetic.multiplier[0]) * 2.0 ** (int(arithmetic.shift[0]) - 31)
    bias = round((int(rng.integers(60, 100)) + 0.5) / factor)
    return replace(
        graph,
        activations=activations,
        weights=weights,
        codes={"dense_0/w": np.ones((1, 1), np.int8)},
        biases={"dense_0/b": np.array([bias], np.int32)},
        arithmetic={"dense_0": arithmetic},
    )


@pytest.mark.parametrize("multiplier", [1.0, 1.5, 2.0, 7.3, 100.0, 4000.0, 2.0**-31, 1e-8])
def test_unusual_multipliers_are_tflms(multiplier: float) -> None:
    for seed, bits in enumerate(WEIGHT_BITS):
        builder = RandomQuantGraph(seed, (5, 6, 2))
        x = builder.conv2d(builder.input, 5, (2, 1), bits=bits, multiplier=multiplier)
        require_tflm(graph := builder.build(x), random_codes(graph, 8, seed))
        builder = RandomQuantGraph(seed, (5, 6, 2))
        x = builder.depthwise_conv2d(builder.input, (1, 2), bits=bits, multiplier=multiplier)
        require_tflm(graph := builder.build(x), random_codes(graph, 8, seed))
        builder = RandomQuantGraph(seed, (4,))
        x = builder.dense(builder.input, 6, bits=bits, multiplier=multiplier)
        require_tflm(graph := builder.build(x), random_codes(graph, 8, seed))


@pytest.mark.parametrize("activation", [*ACTIVATIONS, RELU_1_TO_1], ids=str)
def test_add_is_tflms(activation: ActivationFunction) -> None:
    for seed in range(60):
        builder = RandomQuantGraph(seed, (4, 8, 8))
        other = builder.requantize(builder.input)
        graph = builder.build(builder.add(other, builder.input, activation))
        require_tflm(graph, random_codes(graph, 16, seed))


@pytest.mark.parametrize("activation", [RELU, RELU6, *ACTIVATIONS[3:], RELU_1_TO_1], ids=str)
def test_relu_is_tflms_for_all_codes(activation: ActivationFunction) -> None:
    for seed in range(150):
        builder = RandomQuantGraph(seed, (256,))
        params = builder.random_params() if seed % 2 else None
        graph = builder.build(builder.relu(builder.input, activation, params))
        require_tflm(graph, ALL_CODES[None])


@pytest.mark.parametrize("kind", ["relu", "clamp", "requantize"])
def test_rescaling_is_tflms_beside_ties(kind: str) -> None:
    """Scales whose ratio is half-way between two codes for some input: a float32 division would show."""
    differing = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        divisor = int(rng.integers(3, 128))
        ratio = (int(rng.integers(divisor // 2 + 1, 3 * divisor)) + 0.5) / divisor
        params = ActivationParams(float(2.0 ** rng.uniform(-6, -4)), int(rng.integers(-128, 0)))
        output = ActivationParams(params.scale / ratio, int(rng.integers(-128, 0)))
        builder = RandomQuantGraph(seed, (256,), params)
        if kind == "requantize":
            x = builder.requantize(builder.input, output)
        else:
            x = builder.relu(builder.input, RELU if kind == "relu" else ACTIVATIONS[-1], output)
        require_tflm(builder.build(x), ALL_CODES[None])
        exact = requantize_rescaling(params, output)
        multiplier, shift = derive_multiplier(float(np.float32(params.scale) / np.float32(output.scale)))
        rounded = replace(exact, multiplier=multiplier, shift=shift)
        tables = [rescaling_table(r, params.zero_point, output.zero_point) for r in (exact, rounded)]
        differing += not np.array_equal(*tables)
    assert differing > 10


def test_requantize_is_tflms_for_all_codes() -> None:
    for seed in range(300):
        builder = RandomQuantGraph(seed, (256,))
        scale = builder._activations["input"].scale * float(2.0 ** builder.rng.uniform(-12, 12))
        graph = builder.build(builder.requantize(builder.input, builder.random_params(scale)))
        require_tflm(graph, ALL_CODES[None])


def test_sigmoid_is_tflms_for_all_codes() -> None:
    for seed in range(300):
        rng = np.random.default_rng(seed)
        params = ActivationParams(float(2.0 ** rng.uniform(-20, 6)), int(rng.integers(-128, 128)))
        builder = RandomQuantGraph(seed, (256,), params)
        require_tflm(builder.build(builder.sigmoid(builder.input)), ALL_CODES[None])


def test_softmax_is_tflms_for_every_difference() -> None:
    """Rows of two: the larger logit 127, the other each code in turn."""
    for seed in range(120):
        rng = np.random.default_rng(seed)
        params = ActivationParams(float(2.0 ** rng.uniform(-18, 6)), int(rng.integers(-128, 128)))
        builder = RandomQuantGraph(seed, (1, 256, 2), params)
        pairs = np.stack([np.full(256, 127, np.int8), ALL_CODES], axis=1)
        require_tflm(builder.build(builder.softmax(builder.input)), pairs.reshape(1, 1, 256, 2))


@pytest.mark.parametrize("depth", [1, 2, 3, 10, 12, 100, 511])
def test_softmax_is_tflms(depth: int) -> None:
    """From 512 nearly equal logits on TFLite Micro aborts, so 511 is the largest depth that is safe to compare."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        builder = RandomQuantGraph(seed, (depth,), ActivationParams(float(2.0 ** rng.uniform(-10, 2)), 0))
        graph = builder.build(builder.softmax(builder.input))
        narrow = rng.normal(0, rng.uniform(1, 60), (6, depth)).clip(-128, 127).astype(np.int8)
        require_tflm(graph, np.concatenate([random_codes(graph, 4, seed), narrow]))


@pytest.mark.parametrize("kind", ["max_pool2d", "average_pool2d"])
def test_pools_are_tflms(kind: str) -> None:
    cases = [(window, stride, padding) for window, stride, dilation, padding in WINDOWS if dilation == (1, 1)]
    cases += [((9, 8), (9, 8), "valid"), ((9, 8), (2, 2), "same"), ((2, 2), (2, 2), "same"), ((3, 2), (2, 2), "same")]
    for seed, (window, stride, padding) in enumerate(cases):
        if kind == "average_pool2d" and isinstance(padding, Pad):
            continue
        for image in ((9, 8, 3), (11, 9, 1)):
            builder = RandomQuantGraph(seed, image)
            graph = builder.build(getattr(builder, kind)(builder.input, window, stride, padding))
            require_tflm(graph, random_codes(graph, 6, seed))


@pytest.mark.parametrize("image", [(1, 1, 3), (2, 2, 5), (3, 5, 1), (7, 7, 4), (25, 5, 3), (33, 31, 2)])
def test_mean_is_tflms(image: tuple[int, int, int]) -> None:
    for seed in range(60):
        builder = RandomQuantGraph(seed, image)
        graph = builder.build(builder.mean(builder.input))
        require_tflm(graph, random_codes(graph, 4, seed))


@pytest.mark.parametrize("pixels", [3, 5, 6, 7, 9, 11])
def test_mean_is_tflms_beside_ties(pixels: int) -> None:
    """1/pixels is truncated in TFLite Micro's multiplier; at exact halves that shows."""
    for seed, half in enumerate(range(pixels // 2, 4 * pixels)):
        params = ActivationParams(2.0**-4 * (half + 0.5), 0)
        builder = RandomQuantGraph(seed, (1, pixels, 1), params)
        mean = Mean("mean", builder.input, "mean")
        graph = builder.build(builder._add(mean, (1, 1), ActivationParams(2.0**-4, 0)))
        codes = np.zeros((256, 1, pixels, 1), np.int8)
        codes[:, 0, 0, 0] = ALL_CODES
        require_tflm(graph, codes)


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
@pytest.mark.parametrize("parts", [2, 3, 10, 11, 25])
def test_concatenate_is_tflms(parts: int, axis: int) -> None:
    builder = RandomQuantGraph(parts, (3, 4, 2))
    inputs = tuple(builder.relu(builder.input) for _ in range(parts))
    graph = builder.build(builder.concatenate(inputs, axis))
    require_tflm(graph, random_codes(graph, 5))


def test_pad_and_reshape_are_tflms() -> None:
    for seed, pads in enumerate([(1, 0, 0, 0), (0, 2, 3, 0), (1, 1, 1, 1), (4, 5, 6, 7)]):
        builder = RandomQuantGraph(seed, (3, 4, 2))
        x = builder.pad2d(builder.input, Pad(*pads))
        _, height, width, channels = builder.shape(x)
        graph = builder.build(builder.reshape(builder.relu(x), (width, height * channels)))
        require_tflm(graph, random_codes(graph, 5))


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_are_tflms(seed: int) -> None:
    graph = random_network(seed)
    codes = random_codes(graph, 12, seed)
    require_tflm_everywhere(graph, codes[:3])
    require_tflm(graph, codes)


def test_resnet8_is_tflms() -> None:
    graph = resnet8()
    codes = random_codes(graph, 20)
    require_tflm_everywhere(graph, codes[:2])
    require_tflm(graph, codes)
