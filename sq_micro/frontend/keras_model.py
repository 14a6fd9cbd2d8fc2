"""A Keras model, from a file or in memory, to a FloatGraph.

    graph = load_keras(Path("wake_word.keras"))

Models are walked in the order in which Keras itself would run them, nested models included; each call of a layer
is handed to the layer's handler in `keras_layers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sq_micro.errors import ModelError
from sq_micro.frontend.graph_builder import MAX_RANK, GraphBuilder, Value
from sq_micro.frontend.keras_layers import handle_layer
from sq_micro.frontend.layer_call import LayerCall
from sq_micro.frontend.layer_names import LayerNames, is_model, model_name, sanitise
from sq_micro.frontend.model_file import read_model
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.topology import Shape
from sq_micro.ir.verify import verify_float_graph


def load_keras(path: Path) -> FloatGraph:
    """Read a `.keras` file, or an `.h5` of Keras 2 or 3.

    Raises UsageError iff the path is no such file, UnsupportedLayerError iff a layer is not taken, and ModelError
    for everything else that keeps the model from being read.
    """
    return import_model(read_model(path), path.stem)


def import_model(model: Any, fallback_name: str = "model") -> FloatGraph:
    """The graph of a built Sequential or Functional model, before any pass.

    fallback_name  taken where Keras made the model's name up. Raises as `load_keras` does.
    """
    name = model_name(model.name, fallback_name)
    shape = _input_shape(model)
    walk = _Walk(LayerNames(model))
    builder = walk.builder
    source = builder.input(builder.unique_name(sanitise(model.inputs[0].name) or "input"), shape)
    (result,) = walk.run(model, (source,))
    graph = builder.build(name, source, result)
    verify_float_graph(graph, after="import")
    return graph


def _input_shape(model: Any) -> Shape:
    """The model's input shape without batch, having checked that there is one input, of known size, and one output."""
    _require_graph(model)
    for word, tensors in (("input", model.inputs), ("output", model.outputs)):
        if len(tensors) != 1:
            listed = ", ".join(f"'{tensor.name}'" for tensor in tensors)
            raise ModelError(f"model '{model.name}' has {len(tensors)} {word}s ({listed}); exactly one is supported")
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape:
        raise ModelError(
            f"model '{model.name}' leaves its input shape open, {shape}; "
            f"fix every size but the batch, e.g. keras.Input(shape=(96, 96, 3)), and save it again"
        )
    if not 1 <= len(shape) <= MAX_RANK:
        raise ModelError(f"model '{model.name}' has input shape {shape}; 1 to {MAX_RANK} axes besides the batch fit")
    return shape


def _require_graph(model: Any) -> None:
    own_class = type(model).__module__.split(".")[0] != "keras"
    if own_class or type(model).__name__ not in ("Functional", "Sequential"):
        raise ModelError(
            f"model '{model.name}' is a subclassed {type(model).__name__}, whose graph only its Python code knows; "
            "rebuild it as a Functional model"
        )
    if not model.built or not getattr(model, "inputs", None):
        raise ModelError(f"model '{model.name}' has no input shape; begin it with keras.Input and save it again")


@dataclass(slots=True)
class _Walk:
    """Runs models on values in place of arrays."""

    names: LayerNames
    builder: GraphBuilder = field(init=False)
    _called: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.builder = GraphBuilder(self.names.all())

    def run(self, model: Any, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
        """What a model makes of its inputs; both in the order of Keras' flattened structure."""
        _require_graph(model)
        if type(model).__name__ == "Sequential":
            values = inputs
            for layer in model.layers:
                values = self._call(layer, values)
            return values
        known = {id(tensor): value for tensor, value in zip(model.inputs, inputs, strict=True)}
        for node in _nodes(model):
            outputs = self._call(node.operation, tuple(known[id(tensor)] for tensor in node.input_tensors))
            known.update((id(tensor), value) for tensor, value in zip(node.outputs, outputs, strict=True))
        return tuple(known[id(tensor)] for tensor in model.outputs)

    def _call(self, layer: Any, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
        if is_model(layer):
            return self.run(layer, inputs)
        owner = self.names[layer]
        again = id(layer) in self._called
        self._called.add(id(layer))
        call = LayerCall(layer, self.builder.unique_name(owner) if again else owner, owner, inputs)
        return (handle_layer(call, self.builder),)


def _nodes(model: Any) -> Iterator[Any]:
    """The calls that a Functional model makes, each after those it reads from.

    `_nodes_by_depth` is what Keras' own executor walks; there is no public name for it.
    """
    for depth in sorted(model._nodes_by_depth, reverse=True):
        yield from (node for node in model._nodes_by_depth[depth] if not node.is_input)
