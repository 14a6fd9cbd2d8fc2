"""A .tflite file → FloatGraph: operators in the file's order, each handed to its handler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sq_micro.errors import GraphError, ModelError, UsageError
from sq_micro.frontend.layer_names import model_name
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.given import GivenIntegers
from sq_micro.ir.verify import verify_float_graph
from sq_micro.tflite.importing import elementwise, spatial, weighted
from sq_micro.tflite.importing.call import Call, Importing
from sq_micro.tflite.importing.ends import handle_dequantize, handle_quantize, open_input
from sq_micro.tflite.model import Model
from sq_micro.tflite.read import read_tflite

HANDLERS: dict[str, Callable[[Call], None]] = {
    "ADD": elementwise.handle_add,
    "AVERAGE_POOL_2D": spatial.handle_pool,
    "CONCATENATION": spatial.handle_concatenation,
    "CONV_2D": weighted.handle_conv,
    "DEPTHWISE_CONV_2D": weighted.handle_depthwise_conv,
    "DEQUANTIZE": handle_dequantize,
    "EXPAND_DIMS": spatial.handle_reshape,
    "FULLY_CONNECTED": weighted.handle_fully_connected,
    "LOGISTIC": elementwise.handle_logistic,
    "MAXIMUM": elementwise.handle_bound,
    "MAX_POOL_2D": spatial.handle_pool,
    "MEAN": spatial.handle_mean,
    "MINIMUM": elementwise.handle_bound,
    "MUL": elementwise.handle_product,
    "PAD": spatial.handle_pad,
    "PADV2": spatial.handle_pad,
    "QUANTIZE": handle_quantize,
    "REDUCE_MAX": spatial.handle_maximum_over_pixels,
    "RELU": elementwise.handle_clamp,
    "RELU6": elementwise.handle_clamp,
    "RELU_0_TO_1": elementwise.handle_clamp,
    "RELU_N1_TO_1": elementwise.handle_clamp,
    "RESHAPE": spatial.handle_reshape,
    "SOFTMAX": elementwise.handle_softmax,
    "SQUEEZE": spatial.handle_reshape,
    "SUB": elementwise.handle_subtraction,
}
SUPPORTED = ", ".join(HANDLERS)


def load_tflite(path: Path) -> FloatGraph:
    """Read a float model, or a full-int8 one, whose integers the graph then gives.

    Raises UsageError iff the file cannot be read, UnsupportedOperatorError iff an operator, or a type of numbers, is
    not taken, and ModelError for everything else that keeps the model from being read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    return import_tflite(content, path.stem, str(path))


def import_tflite(content: bytes, stem: str, where: str = "model") -> FloatGraph:
    """The graph of a file's bytes, before any pass; `where` is what errors call it. Raises as `load_tflite` does."""
    model = read_tflite(content, where)
    with np.errstate(all="ignore"):  # of damaged constants; what is not finite is refused where it is kept
        graph = _graph(model, model_name("model", stem))
    try:
        verify_float_graph(graph, after="import")
    except GraphError as error:
        raise ModelError(f"{where}: operator '{error.operator}' contradicts itself: {error.rule}") from error
    return graph


def _graph(model: Model, name: str) -> FloatGraph:
    state = Importing(model)
    source = open_input(state)
    for index, operation in enumerate(model.operations):
        if _computes_a_shape(model, operation.output):
            continue
        call = state.call(index, operation)
        handler = HANDLERS.get(operation.code)
        if handler is None:
            call.fail("this operator", SUPPORTED)
        handler(call)
    if model.output not in state.values:
        raise ModelError(f"{model.name}: no operator writes its output '{model.output}'")
    graph = state.builder.build(name, source, state.values[model.output])
    if not state.integers:
        return graph
    if source.tensor not in state.params:
        raise ModelError(f"{model.name}: its input has no scale and zero point")
    given = GivenIntegers(state.params, state.weights)
    return FloatGraph(graph.topology, graph.constants, graph.input_shape, given)


def _computes_a_shape(model: Model, output: str) -> bool:
    """Whether an operator computes a shape for RESHAPE to read: shapes are fixed here, and the file states them."""
    return model.tensors[output].type in ("INT32", "INT64") and output != model.output
