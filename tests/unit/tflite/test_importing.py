"""Converted models come in as they are: float ones with the same outputs, int8 ones with the same integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import ModelError, SqMicroError, UnsupportedOperatorError, UsageError
from sq_micro.ir import evaluate
from sq_micro.ir.operators import Conv2D, DepthwiseConv2D, MaxPool2D, Pad, kind
from sq_micro.ir.storage import load_float_graph, save_float_graph
from sq_micro.passes import canonicalise
from sq_micro.reference.golden_vectors import require_equal
from sq_micro.reference.interpreter import run
from sq_micro.tflite.export import write_tflite
from sq_micro.tflite.importing.load import import_tflite, load_tflite
from sq_micro.tflite.lower import lower
from sq_micro.tflite.twin import run_tflite_micro, run_tflite_micro_file
from tests.models.random_quant_graph import random_codes, random_network
from tests.unit.tflite.tflite_files import canonical, converted, integers, random_inputs

oracle = pytest.mark.oracle


@oracle
@pytest.mark.parametrize("name", ["image_float", "image_float16", "sequence_float"])
def test_float_models_compute_what_tflite_micro_does(name: str) -> None:
    pytest.importorskip("tflite_micro")
    graph = canonical(name)
    assert graph.given is None
    samples = np.random.default_rng(1).uniform(0, 1, (8, *graph.input_shape)).astype(np.float32)
    nhwc = graph.topology.shape(graph.topology.input)[1:]
    got = evaluate.run(graph, samples.reshape(-1, *nhwc))
    # TFLite Micro takes no float16 constants; the file's float32 sibling is within their rounding.
    expected = run_tflite_micro(converted(name.removesuffix("16")).read_bytes(), samples)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(got.reshape(expected.shape), expected, atol=2e-3 if name.endswith("16") else 1e-6)


@oracle
@pytest.mark.parametrize("name", ["image_int8", "image_int8_float_ends", "image_int8_uint8_ends", "sequence_int8"])
def test_int8_models_give_tflite_micros_bytes(name: str) -> None:
    pytest.importorskip("tflite_micro")
    graph = integers(canonical(name))
    codes = random_inputs(graph.input_shape)
    got = run(graph, codes.reshape(-1, *graph.topology.shape(graph.topology.input)[1:]))
    expected = run_tflite_micro_file(converted(name).read_bytes(), codes, graph.input_params, graph.output_params)
    assert len(np.unique(expected)) > 3
    require_equal("the whole network", got, expected.reshape(got.shape))


def test_an_int8_model_keeps_its_integers_and_its_operators() -> None:
    graph = canonical("image_int8")
    assert graph.given is not None
    quantized = integers(graph)
    for operator in quantized.topology.weighted():
        given = graph.given.weights[operator.name]
        assert np.array_equal(quantized.codes[operator.weights], given.codes)
        assert np.array_equal(quantized.biases[operator.bias], given.bias)
        assert np.array_equal(quantized.weights[operator.weights].scale, given.scale)
    for tensor, params in quantized.activations.items():
        assert (params.scale, params.zero_point) == graph.given.activations[tensor]
    operators = {operator.name: operator for operator in graph.topology.operators}
    depthwise = operators["depthwise_conv2d_1"]
    assert isinstance(depthwise, DepthwiseConv2D)
    assert depthwise.depth_multiplier == 2
    assert depthwise.padding == Pad(1, 1, 1, 1)
    padded = operators["conv2d_1_2"]
    assert isinstance(padded, Conv2D)
    assert padded.padding == Pad(1, 0, 0, 2), "the PAD before it is folded"
    assert isinstance(operators["global_max_pooling2d_1"], MaxPool2D)
    assert [kind(operators[name]) for name in ("re_lu_2_1", "clip_by_value")] == ["relu", "relu"]


def test_weights_below_8_bits_are_rounded_anew_on_the_given_activations() -> None:
    graph = canonical("sequence_int8")
    wide, narrow = integers(graph), integers(graph, bits=4)
    assert narrow.activations == wide.activations
    for operator in narrow.topology.weighted():
        codes = narrow.codes[operator.weights]
        assert -8 <= codes.min() <= codes.max() <= 8
        step = narrow.weights[operator.weights].scale.max()
        axis = narrow.weights[operator.weights].axis
        shape = tuple(-1 if at == axis else 1 for at in range(codes.ndim))
        real = codes * narrow.weights[operator.weights].scale.reshape(shape)
        assert np.abs(real - graph.constants[operator.weights]).max() <= 2 * step


def test_given_integers_survive_the_disk(tmp_path: Path) -> None:
    graph = canonical("image_int8")
    save_float_graph(graph, tmp_path / "graph.npz")
    again = load_float_graph(tmp_path / "graph.npz")
    assert integers(again).digest() == integers(graph).digest()
    assert again.constants.keys() == graph.constants.keys()


@pytest.mark.parametrize("seed", range(30))
def test_our_own_twins_come_back(seed: int) -> None:
    """Whatever the writer writes, the reader reads: the same codes in, the same codes out."""
    graph = random_network(seed)
    twin = write_tflite(graph)
    if any(operation.code == "PADV2" for operation in lower(graph).operations):
        with pytest.raises(UnsupportedOperatorError, match="PADV2"):  # pads a maximum with the smallest code
            import_tflite(twin, "back")
        return
    back = canonicalise(import_tflite(twin, "back"))
    codes = random_codes(graph, 3)
    require_equal("the whole network", run(integers(back), codes), run(graph, codes))


REFUSED = [
    ("transposed_float", UnsupportedOperatorError, "operator 3, TRANSPOSE_CONV"),
    ("image_int16", UnsupportedOperatorError, "INT16"),
    ("dense_dynamic", UnsupportedOperatorError, "dynamic range"),
    ("two_inputs_float", ModelError, "2 inputs"),
    ("open_float", ModelError, "open"),
]


@pytest.mark.parametrize(("name", "error", "word"), REFUSED, ids=lambda value: str(value))
def test_what_is_not_taken_is_named(name: str, error: type[SqMicroError], word: str) -> None:
    with pytest.raises(error, match=word) as caught:
        load_tflite(converted(name))
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)


def test_an_unsupported_operator_says_what_is_supported() -> None:
    with pytest.raises(UnsupportedOperatorError) as caught:
        load_tflite(converted("transposed_float"))
    assert caught.value.index == 3
    assert "CONV_2D" in caught.value.supported


def test_a_missing_file_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"absent\.tflite"):
        load_tflite(converted("absent"))
