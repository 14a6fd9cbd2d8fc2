"""The flatbuffer of a .tflite file → `Model`: the inverse of `model.serialize`, for what others wrote."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from sq_micro.errors import ModelError
from sq_micro.tflite.model import SCHEMA_VERSION, Constant, Model, Operation, Quantization, Tensor, require

_IDENTIFIER = b"TFL3"
# What the accessors generated from the schema raise where offsets lead out of the file, or to something else.
_BROKEN = (struct.error, LookupError, ValueError, TypeError, AttributeError, OverflowError)

_WINDOW = ("Padding", "StrideH", "StrideW", "FusedActivationFunction")
_DILATION = ("DilationHFactor", "DilationWFactor")
_FUSED = ("FusedActivationFunction",)
# The options that are looked at, by operator: table, and fields.
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", _WINDOW + _DILATION),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", (*_WINDOW, *_DILATION, "DepthMultiplier")),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat")),
    "MAX_POOL_2D": ("Pool2DOptions", (*_WINDOW, "FilterHeight", "FilterWidth")),
    "AVERAGE_POOL_2D": ("Pool2DOptions", (*_WINDOW, "FilterHeight", "FilterWidth")),
    "ADD": ("AddOptions", _FUSED),
    "SUB": ("SubOptions", _FUSED),
    "MUL": ("MulOptions", _FUSED),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "REDUCE_MAX": ("ReducerOptions", ("KeepDims",)),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
}
_TYPES: dict[str, type[np.generic]] = {
    "INT8": np.int8,
    "INT32": np.int32,
    "INT64": np.int64,
    "FLOAT16": np.float16,
    "FLOAT32": np.float32,
}


def read_tflite(content: bytes, name: str) -> Model:
    """The one subgraph of a .tflite file, under the name that the model is to have.

    Tensors keep their names, made different where the file has one name twice. Constants of types that no operator
    of ours takes are left out, with the tensor's type as the file says it.
    Raises ModelError iff the bytes are no such file, are damaged, or hold more than one subgraph, input or output.
    """
    if content[4:8] != _IDENTIFIER:
        raise ModelError(f"{name}: is no TFLite model: the identifier {_IDENTIFIER.decode()} is missing")
    try:
        return _Reader(content, name).read()
    except _BROKEN as error:
        raise ModelError(f"{name}: is a damaged TFLite model ({type(error).__name__}: {error})") from error


class _Reader:
    def __init__(self, content: bytes, name: str) -> None:
        self._schema: Any = require("tflite")
        self._name = name
        self._file: Any = self._schema.Model.GetRootAsModel(content, 0)
        self._operators = _names(self._schema.BuiltinOperator)
        self._tensor_types = _names(self._schema.TensorType)
        self._option_types = _names(self._schema.BuiltinOptions)

    def read(self) -> Model:
        self._require(self._file.Version() == SCHEMA_VERSION, f"has schema version {self._file.Version()}, not 3")
        count = self._file.SubgraphsLength()
        self._require(count == 1, f"has {count} subgraphs; one is taken")
        graph = self._file.Subgraphs(0)
        tensors = self._read_tensors(graph)
        names = [tensor.name for tensor in tensors]
        model = Model(self._name, self._end(graph, "Inputs", names), self._end(graph, "Outputs", names))
        model.tensors.update((tensor.name, tensor) for tensor in tensors)
        for position in range(graph.OperatorsLength()):
            model.operations.append(self._operation(graph.Operators(position), names))
        return model

    def _require(self, holds: bool, problem: str) -> None:
        if not holds:
            raise ModelError(f"{self._name}: {problem}")

    def _end(self, graph: Any, word: str, names: list[str]) -> str:
        """The one input or output; its size must be known but for the batch."""
        count = getattr(graph, f"{word}Length")()
        self._require(count == 1, f"has {count} {word.lower()}; exactly one is supported")
        index = getattr(graph, word)(0)
        signature = graph.Tensors(index).ShapeSignatureAsNumpy()
        sizes = [] if isinstance(signature, int) else [int(size) for size in signature]
        self._require(
            all(size > 0 for size in sizes[1:]),
            f"leaves a size of '{names[index]}' open, {sizes}; convert it again with every size but the batch fixed",
        )
        name: str = names[index]
        return name

    def _read_tensors(self, graph: Any) -> list[Tensor]:
        found: dict[str, Tensor] = {}
        for position in range(graph.TensorsLength()):
            tensor = graph.Tensors(position)
            name = str((tensor.Name() or b"").decode()) or f"tensor_{position}"
            if name in found:
                name = f"{name}#{position}"
            found[name] = self._tensor(tensor, name)
        return list(found.values())

    def _tensor(self, tensor: Any, name: str) -> Tensor:
        self._require(tensor.Sparsity() is None, f"tensor '{name}' is sparse; convert it without sparsity")
        self._require(not tensor.IsVariable(), f"tensor '{name}' keeps a state between runs, which is not supported")
        shape = tensor.ShapeAsNumpy()
        sizes = () if isinstance(shape, int) else tuple(int(size) for size in shape)
        kind = self._tensor_types.get(tensor.Type(), f"type {tensor.Type()}")
        return Tensor(name, sizes, _quantization(tensor), self._constant(tensor, kind, sizes), kind)

    def _constant(self, tensor: Any, kind: str, shape: tuple[int, ...]) -> Constant | None:
        buffer = self._file.Buffers(tensor.Buffer())
        if buffer.DataLength() == 0 or kind not in _TYPES:
            return None
        data = buffer.DataAsNumpy().tobytes()
        return np.frombuffer(data, np.dtype(_TYPES[kind]).newbyteorder("<")).reshape(shape).astype(_TYPES[kind])

    def _operation(self, operator: Any, names: list[str]) -> Operation:
        entry = self._file.OperatorCodes(operator.OpcodeIndex())
        number = max(entry.BuiltinCode(), entry.DeprecatedBuiltinCode())
        code = self._operators.get(number, f"operator code {number}")
        if code == "CUSTOM":
            code = (entry.CustomCode() or b"CUSTOM").decode()
        inputs = [operator.Inputs(position) for position in range(operator.InputsLength())]
        table, options = self._options(operator, code)
        return Operation(
            code,
            tuple("" if index < 0 else names[index] for index in inputs),
            names[operator.Outputs(0)],
            table,
            options,
            entry.Version(),
        )

    def _options(self, operator: Any, code: str) -> tuple[str | None, dict[str, int | float | bool]]:
        """Table and values of an operator's options; none where we look at none, or the file has none."""
        if code not in _OPTIONS or (union := operator.BuiltinOptions()) is None:
            return None, {}
        table, fields = _OPTIONS[code]
        found = self._option_types[operator.BuiltinOptionsType()]
        self._require(found == table, f"is damaged: {code} has options of {found}")
        options = getattr(self._schema, table)()
        options.Init(union.Bytes, union.Pos)
        return table, {name: getattr(options, name)() for name in fields}


def _quantization(tensor: Any) -> Quantization | None:
    params = tensor.Quantization()
    if params is None or params.ScaleLength() == 0:
        return None
    scale = tuple(float(value) for value in params.ScaleAsNumpy())
    zeros = params.ZeroPointAsNumpy() if params.ZeroPointLength() else np.zeros(len(scale), np.int64)
    return Quantization(scale, tuple(int(value) for value in zeros), int(params.QuantizedDimension()))


def _names(enum: Any) -> dict[int, str]:
    return {number: name for name, number in vars(enum).items() if isinstance(number, int)}
