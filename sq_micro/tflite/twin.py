"""Runs a .tflite model on the runtimes of others: the oracles of sq-micro.

TFLite Micro's reference kernels are the oracle: generated code must equal them bit for bit. LiteRT rounds some
operators differently (its FULLY_CONNECTED rounds once), so it serves for accuracy, not for equality.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from importlib import import_module, metadata
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import ToolchainError
from sq_micro.quant.params import ActivationParams, Int8Array

__all__ = ["oracle_version", "run_litert", "run_tflite_micro", "run_tflite_micro_file", "run_tflite_micro_tensors"]

_SIGN_BIT = np.uint8(128)
_MISSING = "is missing; run: pip install sq-micro[oracle]"
_SMALLEST_ARENA_BYTES = 1 << 18
_LARGEST_ARENA_BYTES = 1 << 29
_LITERT_MODULES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


def oracle_version() -> str:
    """Name and version of the oracle, as `tflite-micro 0.dev…`. Raises ToolchainError iff it is missing."""
    _tflite_micro()
    return f"tflite-micro {metadata.version('tflite-micro')}"


def run_tflite_micro(model: bytes, codes: NDArray[Any]) -> Any:
    """Output codes (n, *shape) of input codes (n, *shape) from TFLite Micro's reference kernels.

    Raises ToolchainError iff the wheel is missing or refuses the model.
    """
    interpreter = _micro_interpreter(model, keep_tensors=False)
    outputs = []
    for sample in codes:
        _micro_invoke(interpreter, sample)
        outputs.append(np.array(interpreter.get_output(0))[0])
    return _stacked(outputs, interpreter.get_output_details(0)["shape"])


def run_tflite_micro_file(
    model: bytes, codes: Int8Array, source: ActivationParams, result: ActivationParams
) -> Int8Array:
    """As `run_tflite_micro`, of a file whose input or output may be float32 or uint8 in place of int8.

    source, result  scale and zero point of the int8 tensors behind and before them
    """
    subgraph, types = _subgraph(model), _first_of(("tflite",)).TensorType
    kinds = (subgraph.Tensors(subgraph.Inputs(0)).Type(), subgraph.Tensors(subgraph.Outputs(0)).Type())
    shape = tuple(int(size) for size in subgraph.Tensors(subgraph.Inputs(0)).ShapeAsNumpy())[1:]
    inputs: NDArray[Any] = codes.reshape(len(codes), *shape)
    if kinds[0] == types.FLOAT32:
        inputs = source.dequantize(inputs)
    elif kinds[0] == types.UINT8:
        inputs = inputs.view(np.uint8) ^ _SIGN_BIT
    outputs: NDArray[Any] = run_tflite_micro(model, inputs)
    if kinds[1] == types.FLOAT32:
        return result.quantize(outputs)
    signed: Int8Array = (outputs ^ _SIGN_BIT if kinds[1] == types.UINT8 else outputs).view(np.int8)
    return signed


def run_tflite_micro_tensors(model: bytes, sample: Int8Array, tensors: Iterable[str]) -> dict[str, Int8Array]:
    """The codes of named tensors, each (1, *shape), after one sample (*shape): to find where a difference starts."""
    interpreter = _micro_interpreter(model, keep_tensors=True)
    _micro_invoke(interpreter, sample)
    positions = {name: position for position, name in enumerate(_tensor_names(model))}
    found = {}
    for name in tensors:
        details = interpreter.GetTensor(positions[name], 0)
        found[name] = np.array(details["tensor_data"], dtype=np.int8).reshape(details["shape"])
    return found


def run_litert(model: bytes, codes: Int8Array, reference_kernels: bool = False) -> Int8Array:
    """Output codes (n, *shape) of input codes (n, *shape) from LiteRT, or from tflite_runtime in its place.

    reference_kernels  BUILTIN_REF instead of the default kernels, which are faster and round differently.
    Raises ToolchainError iff neither is installed, or the model is refused.
    """
    module = _first_of(_LITERT_MODULES)
    options: dict[str, Any] = {}
    if reference_kernels:
        options["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_REF
    try:
        interpreter: Any = module.Interpreter(model_content=model, **options)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ToolchainError(f"LiteRT refuses the model: {error}") from error
    source, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for sample in codes:
        interpreter.set_tensor(source, sample[None])
        interpreter.invoke()
        outputs.append(np.array(interpreter.get_tensor(result))[0])
    return _stacked(outputs, interpreter.get_output_details()[0]["shape"])


def _micro_interpreter(model: bytes, keep_tensors: bool) -> Any:
    """An interpreter whose arena is doubled until the model fits: TFLite Micro does not tell what it needs."""
    runtime = _tflite_micro()
    configs = runtime.InterpreterConfig
    config = configs.kPreserveAllTensors if keep_tensors else configs.kAllocationRecording
    arena_bytes = max(_SMALLEST_ARENA_BYTES, 2 * _activation_bytes(model) + len(model) // 2)
    while True:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # the constructor prints a debugging line
                return runtime.Interpreter.from_bytes(model, arena_size=arena_bytes, intrepreter_config=config)
        except RuntimeError as error:
            if arena_bytes >= _LARGEST_ARENA_BYTES:
                raise ToolchainError(f"TFLite Micro refuses the model: {error}") from error
            arena_bytes = min(8 * arena_bytes, _LARGEST_ARENA_BYTES)


def _micro_invoke(interpreter: Any, sample: Int8Array) -> None:
    try:
        interpreter.set_input(sample[None], 0)
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        raise ToolchainError(f"TFLite Micro fails on the model: {error}") from error


def _tflite_micro() -> ModuleType:
    return _first_of(("tflite_micro.python.tflite_micro.runtime",))


def _first_of(modules: tuple[str, ...]) -> ModuleType:
    for name in modules:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ToolchainError(f"{' or '.join(name.split('.')[0] for name in modules)} {_MISSING}")


def _subgraph(model: bytes) -> Any:
    return _first_of(("tflite",)).Model.GetRootAsModel(model, 0).Subgraphs(0)


def _tensor_names(model: bytes) -> list[str]:
    subgraph = _subgraph(model)
    return [subgraph.Tensors(position).Name().decode() for position in range(subgraph.TensorsLength())]


def _activation_bytes(model: bytes) -> int:
    """Bytes of all tensors that are no constants."""
    subgraph = _subgraph(model)
    tensors = (subgraph.Tensors(position) for position in range(subgraph.TensorsLength()))
    return int(sum(np.prod(tensor.ShapeAsNumpy()) for tensor in tensors if tensor.Buffer() == 0))


def _stacked(outputs: list[Int8Array], shape: Iterable[int]) -> Int8Array:
    return np.stack(outputs) if outputs else np.empty((0, *tuple(shape)[1:]), np.int8)
