"""A TFLite model as plain data, and its flatbuffer.

Lowering (`lower.py`) fills this, and `read.py` from a file; `serialize` writes it with the builder functions of the
`tflite` package, which are generated from TFLite's schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import ToolchainError
from sq_micro.ir.topology import Shape

SCHEMA_VERSION = 3
_BUFFER_ALIGNMENT = 16  # the schema's force_align of buffer data

Constant = NDArray[np.integer[Any]] | NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Quantization:
    """real = scale · (q − zero_point), along `axis` where there are several scales."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, slots=True)
class Tensor:
    """`type` as in TFLite's TensorType. `quantization` None: plain numbers, such as a shape.

    A constant of INT4 is an int8 array of −8 … 7; the file holds two in a byte, the first in the low half.
    """

    name: str
    shape: Shape
    quantization: Quantization | None
    constant: Constant | None = None
    type: str = "INT8"


@dataclass(frozen=True, slots=True)
class Operation:
    """`code` as in TFLite's BuiltinOperator; `options` by the schema's field name, in `options_table`.

    An input that is left out has the name "". version None: the first that takes int8.
    """

    code: str
    inputs: tuple[str, ...]
    output: str
    options_table: str | None = None
    options: Mapping[str, int | float | bool] = field(default_factory=dict)
    version: int | None = None


@dataclass(slots=True)
class Model:
    """One subgraph with one input and one output, built up in execution order."""

    name: str
    input: str
    output: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)


# The versions in which these operators first took int8; LiteRT refuses an int8 tensor below them.
_VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "RESHAPE": 1}
_DEFAULT_VERSION = 2


def _versioned(operation: Operation) -> tuple[str, int]:
    return operation.code, operation.version or _VERSIONS.get(operation.code, _DEFAULT_VERSION)


def _nibbles(codes: Constant) -> NDArray[np.uint8]:
    flat = codes.ravel().astype(np.uint8) & 15
    padded = np.append(flat, np.zeros(flat.size % 2, np.uint8))
    return np.asarray(padded[::2] | padded[1::2] << 4, np.uint8)


def serialize(model: Model) -> bytes:
    """The flatbuffer of a model; the bytes depend on the model alone. Raises ToolchainError without `tflite`."""
    return _Writer(model).write()


def require(module: str) -> ModuleType:
    """A module of an ordinary dependency. Raises ToolchainError iff it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ToolchainError(f"the Python package '{module}' is missing; run: pip install {module}") from error


class _Writer:
    """Tables of a flatbuffer are written innermost first; each method returns an offset."""

    def __init__(self, model: Model) -> None:
        self._schema: Any = require("tflite")
        self._builder: Any = require("flatbuffers").Builder(1 << 16)
        self._model = model
        self._codes = sorted({_versioned(operation) for operation in model.operations})
        self._index = {name: position for position, name in enumerate(model.tensors)}

    def write(self) -> bytes:
        constants = [tensor for tensor in self._model.tensors.values() if tensor.constant is not None]
        # Buffer 0 is empty by convention: tensors without data point to it.
        buffers = [self._table("Buffer")] + [self._buffer(tensor) for tensor in constants]
        buffer_of = {tensor.name: position for position, tensor in enumerate(constants, start=1)}
        codes = [self._operator_code(*code) for code in self._codes]
        subgraph = self._subgraph(buffer_of)
        description = self._builder.CreateString(f"{self._model.name}, exported by sq-micro")
        root = self._table(
            "Model",
            Version=SCHEMA_VERSION,
            OperatorCodes=self._offsets(codes),
            Subgraphs=self._offsets([subgraph]),
            Description=description,
            Buffers=self._offsets(buffers),
        )
        self._builder.Finish(root, b"TFL3")
        return bytes(self._builder.Output())

    def _table(self, table: str, **fields: int | float | bool) -> int:
        """Write a table whose vectors and strings are already written."""
        getattr(self._schema, f"{table}Start")(self._builder)
        for name, value in fields.items():
            getattr(self._schema, f"{table}Add{name}")(self._builder, value)
        return int(getattr(self._schema, f"{table}End")(self._builder))

    def _offsets(self, offsets: list[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())

    def _numbers(self, numbers: tuple[int, ...] | tuple[float, ...], kind: type[np.generic]) -> int:
        return int(self._builder.CreateNumpyVector(np.asarray(numbers, kind)))

    def _buffer(self, tensor: Tensor) -> int:
        assert tensor.constant is not None
        constant = _nibbles(tensor.constant) if tensor.type == "INT4" else tensor.constant
        content = constant.astype(constant.dtype.newbyteorder("<")).tobytes()
        builder = self._builder
        builder.StartVector(1, len(content), _BUFFER_ALIGNMENT)
        builder.head -= len(content)
        builder.Bytes[builder.head : builder.head + len(content)] = content
        return self._table("Buffer", Data=int(builder.EndVector()))

    def _operator_code(self, code: str, version: int) -> int:
        number = int(getattr(self._schema.BuiltinOperator, code))
        # Readers take the larger of the two codes; the older field ends at 127, where a placeholder stands.
        return self._table("OperatorCode", DeprecatedBuiltinCode=min(number, 127), Version=version, BuiltinCode=number)

    def _subgraph(self, buffer_of: Mapping[str, int]) -> int:
        tensors = self._offsets([self._tensor(tensor, buffer_of) for tensor in self._model.tensors.values()])
        operators = self._offsets([self._operator(operation) for operation in self._model.operations])
        inputs = self._numbers((self._index[self._model.input],), np.int32)
        outputs = self._numbers((self._index[self._model.output],), np.int32)
        name = self._builder.CreateString("main")
        return self._table("SubGraph", Tensors=tensors, Inputs=inputs, Outputs=outputs, Operators=operators, Name=name)

    def _tensor(self, tensor: Tensor, buffer_of: Mapping[str, int]) -> int:
        fields: dict[str, int] = {
            "Shape": self._numbers(tensor.shape, np.int32),
            "Type": getattr(self._schema.TensorType, tensor.type),
            "Buffer": buffer_of.get(tensor.name, 0),
            "Name": self._builder.CreateString(tensor.name),
        }
        if tensor.quantization is not None:
            fields["Quantization"] = self._quantization(tensor.quantization)
        return self._table("Tensor", **fields)

    def _quantization(self, quantization: Quantization) -> int:
        return self._table(
            "QuantizationParameters",
            Scale=self._numbers(quantization.scale, np.float32),
            ZeroPoint=self._numbers(quantization.zero_point, np.int64),
            QuantizedDimension=quantization.axis,
        )

    def _operator(self, operation: Operation) -> int:
        fields: dict[str, int] = {
            "OpcodeIndex": self._codes.index(_versioned(operation)),
            "Inputs": self._numbers(tuple(self._index[name] if name else -1 for name in operation.inputs), np.int32),
            "Outputs": self._numbers((self._index[operation.output],), np.int32),
        }
        if operation.options_table is not None:
            fields["BuiltinOptionsType"] = getattr(self._schema.BuiltinOptions, operation.options_table)
            fields["BuiltinOptions"] = self._table(operation.options_table, **operation.options)
        return self._table("Operator", **fields)
