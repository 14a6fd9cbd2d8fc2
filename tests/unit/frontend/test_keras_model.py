"""Whole models: branches, nesting, shared layers, names, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sq_micro.errors import ModelError, UnsupportedLayerError
from sq_micro.frontend.keras_model import import_model
from sq_micro.ir.operators import Conv2D
from tests.unit.frontend.keras_dags import random_model
from tests.unit.frontend.keras_models import assert_imported, functional, keras, randomise

L = keras.layers
IMAGE = (6, 6, 3)


def names(model: Any) -> list[str]:
    return [operator.name for operator in assert_imported(model).topology.operators]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_models_compute_what_keras_does(data: st.DataObject) -> None:
    assert_imported(random_model(data.draw))


def test_mobilenet_is_read() -> None:
    graph = assert_imported(randomise(keras.applications.MobileNet((96, 96, 3), alpha=0.25, weights=None)))
    assert graph.topology.shape(graph.topology.output) == (1, 1000)
    assert graph.input_shape == (96, 96, 3)


def test_residual_block_with_three_branches() -> None:
    source = keras.Input(IMAGE)
    branches = [L.Conv2D(4, size, padding="same", name=f"conv{size}")(source) for size in (1, 2, 3)]
    model = randomise(keras.Model(source, L.Add(name="sum")(branches)))
    assert names(model)[-2:] == ["sum_part", "sum"]


def test_a_tensor_may_be_added_to_itself() -> None:
    source = keras.Input(IMAGE)
    assert_imported(keras.Model(source, L.Add()([source, source])))


@pytest.mark.parametrize(
    ("shape", "axis"), [((4, 3, 2), 1), ((4, 3, 2), 2), ((4, 3, 2), -1), ((4, 3), 1), ((4, 3), 2), ((4,), 1)]
)
def test_concatenation_along_every_axis(shape: tuple[int, ...], axis: int) -> None:
    source = keras.Input(shape)
    assert_imported(keras.Model(source, L.Concatenate(axis=axis)([source, L.ReLU()(source), source])))


def test_sums_that_broadcast_are_refused() -> None:
    source = keras.Input(IMAGE)
    model = keras.Model(source, L.Add(name="sum")([source, L.GlobalAveragePooling2D(keepdims=True)(source)]))
    with pytest.raises(
        UnsupportedLayerError, match=r"layer 'sum': Add with inputs of shapes \(6, 6, 3\) and \(1, 1, 3\)"
    ):
        import_model(model)


def test_operations_without_layers_are_read() -> None:
    source = keras.Input(IMAGE)
    tensor = keras.ops.relu6(L.Conv2D(3, 1)(source) + source)
    assert_imported(randomise(keras.Model(source, keras.ops.softmax(keras.ops.sigmoid(keras.ops.relu(tensor))))))


def test_other_operations_are_refused() -> None:
    source = keras.Input(IMAGE)
    with pytest.raises(UnsupportedLayerError, match="Multiply is not supported"):
        import_model(keras.Model(source, source * 2.0))
    with pytest.raises(UnsupportedLayerError, match="Add with a constant is not supported"):
        import_model(keras.Model(source, source + 2.0))


def test_nested_models_of_any_depth_are_one_graph() -> None:
    inner = keras.Sequential([keras.Input(IMAGE), L.Conv2D(3, 3, padding="same", name="conv")], name="inner")
    source = keras.Input(IMAGE)
    middle = keras.Model(source, L.ReLU(name="relu")(inner(L.Conv2D(3, 1, name="conv")(source))), name="middle")
    outer = keras.Sequential([keras.Input(IMAGE), middle, L.Flatten(name="flat"), L.Dense(2, name="conv")])
    # The outermost layer keeps its name; the others are told apart by the models they are in.
    assert names(randomise(outer)) == ["middle_conv", "middle_inner_conv", "relu", "flat", "conv"]


def test_a_model_nested_twice_shares_its_weights() -> None:
    block = keras.Sequential([keras.Input(IMAGE), L.Conv2D(3, 3, padding="same", name="conv"), L.ReLU(name="relu")])
    source = keras.Input(IMAGE)
    graph = assert_imported(randomise(keras.Model(source, block(block(source)))))
    first, _, second, _ = graph.topology.operators
    assert isinstance(first, Conv2D)
    assert isinstance(second, Conv2D)
    assert (first.name, second.name) == ("conv", "conv_1")
    assert first.weights == second.weights == "conv/kernel"
    assert (first.bias, second.bias) == ("conv/bias", "conv_1/bias")


def test_a_second_call_takes_no_other_layers_name() -> None:
    shared, other = L.ReLU(name="relu"), L.ReLU(name="relu_1")
    source = keras.Input(IMAGE)
    assert names(keras.Model(source, other(shared(shared(source))))) == ["relu", "relu_2", "relu_1"]


def test_a_dense_layer_may_be_shared_between_vectors_and_images() -> None:
    shared = L.Dense(3)
    source = keras.Input(IMAGE)
    assert_imported(randomise(keras.Model(source, shared(L.GlobalAveragePooling2D()(shared(source))))))


def test_a_nested_model_may_have_open_sizes_and_several_tensors() -> None:
    left, right = keras.Input((None, None, 3)), keras.Input((None, None, 3))
    two = keras.Model([left, right], [L.Conv2D(2, 3)(right), L.Conv2D(2, 3)(left)])
    source = keras.Input(IMAGE)
    assert_imported(randomise(keras.Model(source, L.Concatenate()(two([source, L.ReLU()(source)])))))


def test_names_hold_letters_digits_and_underscores_only() -> None:
    model = functional(IMAGE, L.Conv2D(2, 1, name="block-1.conv"), L.ReLU(name="block_1_conv"), name="my net.v2")
    assert names(model) == ["block_1_conv", "block_1_conv_1"]
    assert import_model(model).topology.name == "my_net_v2"


def test_a_layer_may_have_the_inputs_name() -> None:
    block = keras.Sequential([keras.Input(IMAGE), L.ReLU(name="image")], name="block")
    graph = assert_imported(functional(IMAGE, block))
    assert graph.topology.operators[0].name == "image"
    assert graph.topology.input == "image_1"


def test_layers_off_the_path_to_the_output_are_left_out() -> None:
    source = keras.Input(IMAGE)
    L.LSTM(3)(L.Reshape((6, 18))(source))
    assert_imported(keras.Model(source, L.ReLU()(source)))


def test_a_fixed_batch_is_taken_as_one() -> None:
    source = keras.Input(batch_shape=(3, *IMAGE))
    assert assert_imported(keras.Model(source, L.ReLU()(source))).input_shape == IMAGE


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda a, b: keras.Model([a, b], L.Add()([a, b]), name="m"), r"model 'm' has 2 inputs \('left', 'right'\)"),
        (lambda a, b: keras.Model(a, [L.ReLU()(a), a], name="m"), "model 'm' has 2 outputs"),
        (lambda a, b: keras.Model(a, a, name="m"), "model 'm' computes nothing"),
        (
            lambda a, b: keras.Sequential([L.Dense(2)], name="m"),
            "model 'm' has no input shape; begin it with keras.Input",
        ),
        (
            lambda a, b: functional((None, 4), L.Conv1D(2, 1), name="m"),
            r"model 'm' leaves its input shape open, \(None, 4\); fix every size but the batch",
        ),
        (lambda a, b: functional((2, 2, 2, 2), L.ReLU(), name="m"), r"model 'm' has input shape \(2, 2, 2, 2\)"),
    ],
)
def test_models_without_one_clear_path_are_refused(make: Any, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        import_model(make(keras.Input(IMAGE, name="left"), keras.Input(IMAGE, name="right")))


def test_subclassed_models_are_refused() -> None:
    class Own(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(ModelError, match=r"model 'own' is a subclassed Own.*rebuild it as a Functional model"):
        import_model(Own(name="own"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(value: float) -> None:
    model = functional(IMAGE, L.Conv2D(2, 3, name="stem"))
    kernel = np.array(model.get_layer("stem").kernel)
    kernel[1, 1, 0, 1] = value
    model.get_layer("stem").kernel.assign(kernel)
    with pytest.raises(ModelError, match="layer 'stem': NaN or infinity in its kernel"):
        import_model(model)


def test_statistics_that_are_no_numbers_are_refused() -> None:
    model = functional(IMAGE, L.BatchNormalization(name="norm"))
    model.get_layer("norm").moving_variance.assign([-1.0, 1.0, 1.0])
    with pytest.raises(ModelError, match="layer 'norm': its scale comes to NaN or infinity"):
        import_model(model)
