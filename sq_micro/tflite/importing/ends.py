"""Where real numbers become int8 and back: the input, the output, and constants that are stored in halves.

The firmware takes and gives int8. QUANTIZE and DEQUANTIZE at the ends of a model are left to who calls it.
"""

from __future__ import annotations

import numpy as np

from sq_micro.errors import ModelError
from sq_micro.frontend.graph_builder import MAX_RANK, Value
from sq_micro.frontend.layer_names import sanitise
from sq_micro.tflite.importing.call import Call, Importing, is_end
from sq_micro.tflite.importing.elementwise import handle_requantize

_UNSIGNED_OFFSET = 128  # uint8 code − int8 code of the same real value


def open_input(state: Importing) -> Value:
    """The graph's input. Raises ModelError for shapes and types that no model of ours has."""
    tensor = state.model.tensors[state.model.input]
    where = f"{state.model.name}: its input '{tensor.name}'"
    if not (2 <= len(tensor.shape) <= MAX_RANK + 1 and tensor.shape[0] == 1 and min(tensor.shape) >= 1):
        raise ModelError(f"{where} has shape {tensor.shape}; a batch of 1 and 1 to {MAX_RANK} further axes are taken")
    if tensor.type not in ("INT8", "UINT8", "FLOAT32"):
        raise ModelError(f"{where} is {tensor.type}; float32 and int8 models are taken")
    scope = sanitise(tensor.name.removeprefix("serving_default_").partition(":")[0])
    value = state.builder.input(state.builder.unique_name(scope or "input"), tensor.shape[1:])
    state.values[tensor.name] = value
    if tensor.type == "INT8":
        found = tensor.quantization
        if found is None or len(found.scale) != 1:
            raise ModelError(f"{where} is int8 without one scale and one zero point")
        state.params[value.tensor] = found.scale[0], found.zero_point[0]
    return value


def handle_quantize(call: Call) -> None:
    """QUANTIZE: the start of a model with another input, its end with a uint8 output, or a change of scale."""
    source = call.needed(0)
    if source.name == call.state.model.input and is_end(source.type):
        _take_input(call)
    elif call.output.name == call.state.model.output and call.output.type == "UINT8":
        _give_output(call)
    else:
        handle_requantize(call)


def handle_dequantize(call: Call) -> None:
    """DEQUANTIZE: the end of a model with a float output, or the widening of float16 constants."""
    source = call.needed(0)
    if source.constant is not None and source.type == "FLOAT16":
        widened = call.output
        call.state.model.tensors[widened.name] = type(widened)(
            widened.name, widened.shape, None, source.constant.astype(np.float32), "FLOAT32"
        )
        return
    call.require(
        call.output.name == call.state.model.output,
        f"float numbers between int8 ones ({source.type} → {call.output.type})",
        "DEQUANTIZE as the last operator",
    )
    call.state.values[call.output.name] = call.value()


def _take_input(call: Call) -> None:
    source = call.needed(0)
    value, params = call.state.values[source.name], call.params()
    if source.type == "UINT8":
        _require_shifted(call, source.name, params)
    known = call.state.params.setdefault(value.tensor, params)
    call.require(known == params, "a second scale of the input", "one")
    call.state.values[call.output.name] = value


def _give_output(call: Call) -> None:
    value = call.value()
    _require_shifted(call, call.output.name, call.state.params[value.tensor])
    call.state.values[call.output.name] = value


def _require_shifted(call: Call, unsigned: str, params: tuple[float, int]) -> None:
    found = call.state.model.tensors[unsigned].quantization
    same = found is not None and (found.scale, found.zero_point) == (params[:1], (params[1] + _UNSIGNED_OFFSET,))
    call.require(same, f"'{unsigned}' as uint8 of another scale than its int8", "the same scale, zero points 128 apart")
