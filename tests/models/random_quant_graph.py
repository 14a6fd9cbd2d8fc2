"""Random integer networks: every operator, weight width and geometry, with scales that keep the codes moving.

    builder = RandomQuantGraph(seed=1, shape=(8, 8, 3))
    x = builder.conv2d(builder.input, 4, window=(3, 3), padding="same", bits=4)
    graph = builder.build(builder.softmax(builder.dense(builder.mean(x), 10)))

`random_network(seed)` draws a whole network with branches.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.operators import (
    NONE,
    RELU,
    RELU6,
    ActivationFunction,
    Add,
    AveragePool2D,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Operator,
    Pad,
    Pad2D,
    Relu,
    Requantize,
    Reshape,
    Sigmoid,
    Size,
    Softmax,
)
from sq_micro.ir.topology import Role, Shape, TensorSpec, Topology
from sq_micro.quant.graph import QuantGraph, derive_arithmetic
from sq_micro.quant.params import ActivationParams, Int8Array, Int32Array, Levels, WeightParams

Padding = Pad | str
PROBABILITIES = ActivationParams(1 / 256, -128)
ACTIVATIONS = (NONE, RELU, RELU6, ActivationFunction(0.0, 4.0), ActivationFunction(None, 1.5))


class RandomQuantGraph:
    """Adds operators one by one; each method returns the name of the tensor that it writes."""

    def __init__(self, seed: int, shape: Shape, params: ActivationParams | None = None) -> None:
        self.rng = np.random.default_rng(seed)
        self.input = "input"
        self._tensors = {"input": TensorSpec("input", (1, *shape), Role.INPUT)}
        self._operators: list[Operator] = []
        self._activations = {"input": params or self.random_params()}
        self._weights: dict[str, WeightParams] = {}
        self._codes: dict[str, Int8Array] = {}
        self._biases: dict[str, Int32Array] = {}
        self._levels: dict[str, Int8Array] = {}
        self._bits: dict[str, int] = {}

    def shape(self, tensor: str) -> Shape:
        return self._tensors[tensor].shape

    def random_params(self, scale: float | None = None, activation: ActivationFunction = NONE) -> ActivationParams:
        """A zero point that leaves room above for what an activation function lets through."""
        drawn = scale if scale is not None else float(2.0 ** self.rng.uniform(-7, -3))
        highest = 0 if activation.minimum is not None else 127
        usual = int(self.rng.integers(-128, highest + 1))
        return ActivationParams(drawn, int(self.rng.choice([-128, highest, usual, usual, usual])))

    def conv2d(
        self,
        source: str,
        channels: int,
        window: Size = (3, 3),
        stride: Size = (1, 1),
        dilation: Size = (1, 1),
        padding: Padding = "same",
        activation: ActivationFunction = NONE,
        bits: int = 8,
        multiplier: float | None = None,
    ) -> str:
        name = self._name("conv2d")
        _, height, width, inputs = self.shape(source)
        pad = resolve_padding(padding, (height, width), window, stride, dilation)
        rows, columns = window_count((height, width), window, stride, dilation, pad)
        taps = window[0] * window[1] * inputs
        operator = Conv2D(name, source, f"{name}/w", f"{name}/b", name, stride, dilation, pad, activation)
        params = self._add_weights(operator, (channels, *window, inputs), 0, taps, bits, multiplier)
        return self._add(operator, (1, rows, columns, channels), params)

    def depthwise_conv2d(
        self,
        source: str,
        window: Size = (3, 3),
        stride: Size = (1, 1),
        dilation: Size = (1, 1),
        padding: Padding = "same",
        depth_multiplier: int = 1,
        activation: ActivationFunction = NONE,
        bits: int = 8,
        multiplier: float | None = None,
    ) -> str:
        name = self._name("depthwise_conv2d")
        _, height, width, inputs = self.shape(source)
        pad = resolve_padding(padding, (height, width), window, stride, dilation)
        rows, columns = window_count((height, width), window, stride, dilation, pad)
        channels = inputs * depth_multiplier
        operator = DepthwiseConv2D(
            name, source, f"{name}/w", f"{name}/b", name, stride, dilation, pad, depth_multiplier, activation
        )
        params = self._add_weights(operator, (1, *window, channels), 3, prod(window), bits, multiplier)
        return self._add(operator, (1, rows, columns, channels), params)

    def dense(
        self,
        source: str,
        units: int,
        activation: ActivationFunction = NONE,
        bits: int = 8,
        multiplier: float | None = None,
    ) -> str:
        name = self._name("dense")
        inputs = self.shape(source)[-1]
        operator = Dense(name, source, f"{name}/w", f"{name}/b", name, activation)
        params = self._add_weights(operator, (units, inputs), 0, inputs, bits, multiplier)
        return self._add(operator, (*self.shape(source)[:-1], units), params)

    def add(self, left: str, right: str, activation: ActivationFunction = NONE) -> str:
        name = self._name("add")
        larger = max(self._activations[left].scale, self._activations[right].scale)
        params = self.random_params(larger * float(2.0 ** self.rng.uniform(-0.5, 1.5)), activation)
        return self._add(Add(name, left, right, name, activation), self.shape(left), params)

    def concatenate(self, inputs: tuple[str, ...], axis: int = -1) -> str:
        """Requantizes the inputs to the scale of the first, as quantization would."""
        axis = axis % len(self.shape(inputs[0]))
        params = self._activations[inputs[0]]
        same = tuple(t if self._activations[t] == params else self.requantize(t, params) for t in inputs)
        shape = list(self.shape(inputs[0]))
        shape[axis] = sum(self.shape(tensor)[axis] for tensor in same)
        name = self._name("concatenate")
        return self._add(Concatenate(name, same, name, axis), tuple(shape), params)

    def pad2d(self, source: str, padding: Pad) -> str:
        _, height, width, channels = self.shape(source)
        shape = (1, height + padding.top + padding.bottom, width + padding.left + padding.right, channels)
        name = self._name("pad2d")
        return self._add(Pad2D(name, source, name, padding), shape, self._activations[source])

    def max_pool2d(self, source: str, window: Size = (2, 2), stride: Size = (2, 2), padding: Padding = "valid") -> str:
        return self._pool(MaxPool2D, source, window, stride, padding)

    def average_pool2d(
        self, source: str, window: Size = (2, 2), stride: Size = (2, 2), padding: Padding = "valid"
    ) -> str:
        return self._pool(AveragePool2D, source, window, stride, padding)

    def mean(self, source: str) -> str:
        name = self._name("mean")
        params = self.random_params(self._activations[source].scale * float(2.0 ** self.rng.uniform(-2.5, 0.5)))
        return self._add(Mean(name, source, name), (1, self.shape(source)[-1]), params)

    def reshape(self, source: str, shape: Shape) -> str:
        name = self._name("reshape")
        return self._add(Reshape(name, source, name), (1, *shape), self._activations[source])

    def relu(self, source: str, activation: ActivationFunction = RELU, params: ActivationParams | None = None) -> str:
        name = self._name("relu")
        scale = self._activations[source].scale * float(2.0 ** self.rng.uniform(-1, 1))
        drawn = params or self.random_params(scale, activation)
        return self._add(Relu(name, source, name, activation), self.shape(source), drawn)

    def requantize(self, source: str, params: ActivationParams | None = None) -> str:
        name = self._name("requantize")
        drawn = params or self.random_params(self._activations[source].scale * float(2.0 ** self.rng.uniform(-3, 3)))
        return self._add(Requantize(name, source, name), self.shape(source), drawn)

    def softmax(self, source: str) -> str:
        name = self._name("softmax")
        return self._add(Softmax(name, source, name), self.shape(source), PROBABILITIES)

    def sigmoid(self, source: str) -> str:
        name = self._name("sigmoid")
        return self._add(Sigmoid(name, source, name), self.shape(source), PROBABILITIES)

    def build(self, output: str) -> QuantGraph:
        self._tensors[output] = replace(self._tensors[output], role=Role.OUTPUT)
        topology = Topology("random", self._tensors, tuple(self._operators), self.input, output)
        derived = {op.name: derive_arithmetic(op, topology, self._activations, self._weights) for op in self._operators}
        return QuantGraph(
            topology=topology,
            bitwidths=Bitwidths(self._bits),
            activations=self._activations,
            weights=self._weights,
            codes=self._codes,
            biases=self._biases,
            levels=self._levels,
            arithmetic={name: arithmetic for name, arithmetic in derived.items() if arithmetic is not None},
            input_shape=topology.shape(self.input)[1:],
        )

    def _name(self, kind: str) -> str:
        return f"{kind}_{len(self._operators)}"

    def _add(self, operator: Operator, shape: Shape, params: ActivationParams) -> str:
        self._operators.append(operator)
        self._tensors[operator.output] = TensorSpec(operator.output, shape, Role.ACTIVATION)
        self._activations[operator.output] = params
        return operator.output

    def _pool(
        self, kind: type[MaxPool2D] | type[AveragePool2D], source: str, window: Size, stride: Size, padding: Padding
    ) -> str:
        _, height, width, channels = self.shape(source)
        pad = resolve_padding(padding, (height, width), window, stride, (1, 1))
        rows, columns = window_count((height, width), window, stride, (1, 1), pad)
        name = self._name("pool2d")
        operator = kind(name, source, name, window, stride, pad)
        return self._add(operator, (1, rows, columns, channels), self._activations[source])

    def _add_weights(
        self,
        operator: Conv2D | DepthwiseConv2D | Dense,
        shape: Shape,
        axis: int,
        taps: int,
        bits: int,
        multiplier: float | None,
    ) -> ActivationParams:
        """Random weights, biases and scales; the weights' scale lets accumulators fill the codes, give or take 4."""
        channels = shape[axis]
        levels = self.rng.choice(np.array(Levels.of_width(bits), np.int8), channels).astype(np.int8)
        rows = np.stack([random_levels_row(self.rng, Levels(int(level)), bits, taps) for level in levels])
        spread = float(rows.std()) * 74.0 * taps**0.5 + 1.0  # 74: the deviation of a random code
        real = multiplier if multiplier is not None else 64.0 / spread * float(2.0 ** self.rng.uniform(-1.5, 1))
        output = self.random_params(activation=operator.activation)
        per_channel = real * output.scale / self._activations[operator.input].scale
        scale = (per_channel * 2.0 ** self.rng.uniform(-1, 1, channels)).astype(np.float32)
        moved = np.moveaxis(np.empty(shape, np.int8), axis, 0).shape
        self._tensors[operator.weights] = TensorSpec(operator.weights, shape, Role.WEIGHTS)
        self._tensors[operator.bias] = TensorSpec(operator.bias, (channels,), Role.BIAS)
        self._weights[operator.weights] = WeightParams(scale, bits, axis)
        self._codes[operator.weights] = np.ascontiguousarray(np.moveaxis(rows.reshape(moved), 0, axis))
        self._biases[operator.bias] = np.round(self.rng.normal(0, spread, channels)).astype(np.int32)
        self._levels[operator.weights] = levels
        self._bits[operator.name] = bits
        return output


def random_levels_row(rng: np.random.Generator, levels: Levels, bits: int, taps: int) -> Int8Array:
    """Weights of one channel, all that its levels mean equally likely."""
    low, high = levels.limits(bits)
    step = 2 if levels is Levels.ODD else 1
    return rng.choice(np.arange(low, high + 1, step), taps).astype(np.int8)


def resolve_padding(padding: Padding, image: Size, window: Size, stride: Size, dilation: Size) -> Pad:
    """Explicit pads of 'same' or 'valid', as TensorFlow defines them."""
    if isinstance(padding, Pad):
        return padding
    if padding == "valid":
        return Pad()
    total = [
        max(0, (-(-size // step) - 1) * step + (taps - 1) * spacing + 1 - size)
        for size, taps, step, spacing in zip(image, window, stride, dilation, strict=True)
    ]
    return Pad(total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2)


def window_count(image: Size, window: Size, stride: Size, dilation: Size, pad: Pad) -> Size:
    """(rows, columns) of windows that fit."""
    height = image[0] + pad.top + pad.bottom - (window[0] - 1) * dilation[0] - 1
    width = image[1] + pad.left + pad.right - (window[1] - 1) * dilation[1] - 1
    return height // stride[0] + 1, width // stride[1] + 1


def random_codes(graph: QuantGraph, count: int, seed: int = 0) -> Int8Array:
    """Input codes, all 256 values equally likely."""
    shape = graph.topology.shape(graph.topology.input)[1:]
    return np.random.default_rng(seed).integers(-128, 128, (count, *shape)).astype(np.int8)


def random_network(seed: int) -> QuantGraph:
    """A small network with residual and concatenated branches, random in every respect."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(5, 13)), int(rng.integers(5, 13)), int(rng.integers(1, 5)))
    builder = RandomQuantGraph(seed, shape)
    tensor = builder.input
    for _ in range(int(rng.integers(2, 6))):
        tensor = _random_block(builder, rng, tensor)
    pooled = builder.mean(tensor) if rng.random() < 0.5 else _flat(builder, tensor)
    logits = builder.dense(pooled, int(rng.integers(1, 12)), bits=int(rng.choice(WEIGHT_BITS)))
    ending = int(rng.integers(3))
    if ending == 0:
        return builder.build(logits)
    return builder.build(builder.softmax(logits) if ending == 1 else builder.sigmoid(logits))


def resnet8(seed: int = 0) -> QuantGraph:
    """The shape of MLPerf Tiny's image classifier, with random weights."""
    builder = RandomQuantGraph(seed, (32, 32, 3))
    x = builder.conv2d(builder.input, 16, activation=RELU)
    for channels, step in ((16, 1), (32, 2), (64, 2)):
        y = builder.conv2d(x, channels, stride=(step, step), activation=RELU)
        y = builder.conv2d(y, channels)
        if step > 1:
            x = builder.conv2d(x, channels, window=(1, 1), stride=(step, step))
        x = builder.add(x, y, RELU)
    x = builder.average_pool2d(x, (8, 8), (8, 8))
    x = builder.reshape(x, (64,))
    return builder.build(builder.softmax(builder.dense(x, 10)))


def _flat(builder: RandomQuantGraph, tensor: str) -> str:
    return builder.reshape(tensor, (prod(builder.shape(tensor)),))


def _random_block(builder: RandomQuantGraph, rng: np.random.Generator, tensor: str) -> str:
    """One of: convolution, depthwise, residual, two branches, pooling, elementwise."""
    bits = int(rng.choice(WEIGHT_BITS))
    activation = ACTIVATIONS[int(rng.integers(len(ACTIVATIONS)))]
    small = min(builder.shape(tensor)[1:3]) < 3
    match int(rng.integers(6)):
        case 0:
            stride = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
            channels = int(rng.integers(1, 9))
            return builder.conv2d(tensor, channels, (3, 3), stride, activation=activation, bits=bits)
        case 1:
            dilation = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
            return builder.depthwise_conv2d(tensor, (3, 3), dilation=dilation, activation=activation, bits=bits)
        case 2:
            channels = builder.shape(tensor)[-1]
            return builder.add(tensor, builder.conv2d(tensor, channels, bits=bits), activation)
        case 3:
            left = builder.conv2d(tensor, int(rng.integers(1, 5)), (1, 1), activation=activation, bits=bits)
            right = builder.sigmoid(builder.conv2d(tensor, int(rng.integers(1, 5)), bits=bits))
            return builder.concatenate((left, right, tensor))
        case 4 if not small:
            pool = builder.max_pool2d if rng.random() < 0.5 else builder.average_pool2d
            return pool(builder.pad2d(tensor, Pad(1, 0, 0, 1)), (3, 2), (2, 2), str(rng.choice(["same", "valid"])))
        case _:
            return builder.relu(tensor, activation or RELU)
