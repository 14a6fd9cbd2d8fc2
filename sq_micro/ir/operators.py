"""The operators: pure data, a closed union. Each stage has one `match` over it, ending in `assert_never`.

Shapes are NHWC with batch 1: (1, height, width, channels) for images, (1, 1, width, channels) for
sequences, (1, features) for vectors. Weights: Conv2D (out, height, width, in), DepthwiseConv2D
(1, height, width, channels), Dense (units, features), as in TFLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Pad:
    """Rows and columns of zeros (real zero, not code zero) around an image."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __bool__(self) -> bool:
        return any((self.top, self.bottom, self.left, self.right))

    def __str__(self) -> str:
        return f"{self.top},{self.bottom},{self.left},{self.right}"


@dataclass(frozen=True, slots=True)
class ActivationFunction:
    """A clamp of the output to [minimum, maximum]; None is no bound."""

    minimum: float | None = None
    maximum: float | None = None

    def __bool__(self) -> bool:
        return self.minimum is not None or self.maximum is not None

    def __str__(self) -> str:
        if not self:
            return "none"
        if self == RELU:
            return "relu"
        return f"relu{self.maximum:g}" if self.minimum == 0 else f"clamp({self.minimum},{self.maximum})"


NONE = ActivationFunction()
RELU = ActivationFunction(minimum=0.0)
RELU6 = ActivationFunction(minimum=0.0, maximum=6.0)

Size = tuple[int, int]  # (height, width)


@dataclass(frozen=True, slots=True)
class Conv2D:
    """Every output channel sees all input channels through one window."""

    name: str
    input: str
    weights: str
    bias: str
    output: str
    stride: Size = (1, 1)
    dilation: Size = (1, 1)
    padding: Pad = Pad()
    activation: ActivationFunction = NONE


@dataclass(frozen=True, slots=True)
class DepthwiseConv2D:
    """Output channel c comes from input channel c // depth_multiplier alone."""

    name: str
    input: str
    weights: str
    bias: str
    output: str
    stride: Size = (1, 1)
    dilation: Size = (1, 1)
    padding: Pad = Pad()
    depth_multiplier: int = 1
    activation: ActivationFunction = NONE


@dataclass(frozen=True, slots=True)
class Dense:
    """Weights times a vector."""

    name: str
    input: str
    weights: str
    bias: str
    output: str
    activation: ActivationFunction = NONE


@dataclass(frozen=True, slots=True)
class Add:
    """Element by element, of two tensors of one shape."""

    name: str
    left: str
    right: str
    output: str
    activation: ActivationFunction = NONE


@dataclass(frozen=True, slots=True)
class Concatenate:
    """Join along `axis` (counted with the batch axis as 0)."""

    name: str
    inputs: tuple[str, ...]
    output: str
    axis: int


@dataclass(frozen=True, slots=True)
class Pad2D:
    """Zeros around an image, as an operator of its own."""

    name: str
    input: str
    output: str
    padding: Pad


@dataclass(frozen=True, slots=True)
class MaxPool2D:
    """Padding never wins: padded positions are left out of the maximum."""

    name: str
    input: str
    output: str
    window: Size
    stride: Size
    padding: Pad = Pad()


@dataclass(frozen=True, slots=True)
class AveragePool2D:
    """Padding is left out of both the sum and the count, as in TFLite."""

    name: str
    input: str
    output: str
    window: Size
    stride: Size
    padding: Pad = Pad()


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean over height and width: (1, height, width, channels) to (1, channels)."""

    name: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Reshape:
    """The same bytes under another shape; costs nothing at run time."""

    name: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Relu:
    """An activation function that no operator before it could absorb."""

    name: str
    input: str
    output: str
    activation: ActivationFunction


@dataclass(frozen=True, slots=True)
class Softmax:
    """Over the last axis."""

    name: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """1 / (1 + exp(−x)), element by element."""

    name: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class ChannelAffine:
    """output = scale·input + offset per channel: batch normalisation, rescaling. Gone after canonicalisation."""

    name: str
    input: str
    scale: str
    offset: str
    output: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Dropout and the like. Gone after canonicalisation."""

    name: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Requantize:
    """The same real values under another scale and zero point; quantization inserts it."""

    name: str
    input: str
    output: str


Operator: TypeAlias = (
    Conv2D
    | DepthwiseConv2D
    | Dense
    | Add
    | Concatenate
    | Pad2D
    | MaxPool2D
    | AveragePool2D
    | Mean
    | Reshape
    | Relu
    | Softmax
    | Sigmoid
    | ChannelAffine
    | Identity
    | Requantize
)
WeightedOperator: TypeAlias = Conv2D | DepthwiseConv2D | Dense


def kind(operator: Operator) -> str:
    """The word for an operator in files and tables: `conv2d`, `depthwise_conv2d`, …

    >>> kind(Identity("a", "x", "y"))
    'identity'
    """
    return _KINDS[type(operator)]


def operator_inputs(operator: Operator) -> tuple[str, ...]:
    """The activations that an operator reads, constants left out."""
    match operator:
        case Add():
            return (operator.left, operator.right)
        case Concatenate():
            return operator.inputs
        case _:
            return (operator.input,)


def operator_constants(operator: Operator) -> tuple[str, ...]:
    """The constants that an operator reads."""
    match operator:
        case Conv2D() | DepthwiseConv2D() | Dense():
            return (operator.weights, operator.bias)
        case ChannelAffine():
            return (operator.scale, operator.offset)
        case _:
            return ()


_KINDS: dict[type[Operator], str] = {
    Conv2D: "conv2d",
    DepthwiseConv2D: "depthwise_conv2d",
    Dense: "dense",
    Add: "add",
    Concatenate: "concatenate",
    Pad2D: "pad2d",
    MaxPool2D: "max_pool2d",
    AveragePool2D: "average_pool2d",
    Mean: "mean",
    Reshape: "reshape",
    Relu: "relu",
    Softmax: "softmax",
    Sigmoid: "sigmoid",
    ChannelAffine: "channel_affine",
    Identity: "identity",
    Requantize: "requantize",
}
