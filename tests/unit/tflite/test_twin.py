from __future__ import annotations

import numpy as np
import pytest

from sq_micro.errors import ToolchainError
from sq_micro.reference.interpreter import run
from sq_micro.tflite import twin
from sq_micro.tflite.export import write_tflite
from sq_micro.tflite.twin import oracle_version, run_litert, run_tflite_micro, run_tflite_micro_tensors
from tests.models.random_quant_graph import RandomQuantGraph, random_codes, random_network, resnet8


@pytest.fixture
def _needs_micro() -> None:
    pytest.importorskip("tflite_micro")


@pytest.mark.usefixtures("_needs_micro")
def test_the_oracle_has_a_name_and_a_version() -> None:
    name, version = oracle_version().split()
    assert name == "tflite-micro"
    assert version[0].isdigit()


@pytest.mark.usefixtures("_needs_micro")
def test_micro_gives_a_batch_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    graph = random_network(2)
    model = write_tflite(graph)
    assert run_tflite_micro(model, random_codes(graph, 3)).shape == run(graph, random_codes(graph, 3)).shape
    assert run_tflite_micro(model, random_codes(graph, 0)).shape == run(graph, random_codes(graph, 0)).shape
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("_needs_micro")
def test_a_large_activation_finds_an_arena() -> None:
    builder = RandomQuantGraph(0, (512, 512, 8))
    graph = builder.build(builder.mean(builder.depthwise_conv2d(builder.input, (1, 1))))
    codes = random_codes(graph, 1)
    assert np.array_equal(run_tflite_micro(write_tflite(graph), codes), run(graph, codes))


@pytest.mark.usefixtures("_needs_micro")
def test_inner_tensors_can_be_read() -> None:
    graph = random_network(4)
    (sample,) = random_codes(graph, 1)
    found = run_tflite_micro_tensors(write_tflite(graph), sample, [graph.topology.input, graph.topology.output])
    assert np.array_equal(found[graph.topology.input][0], sample)
    assert np.array_equal(found[graph.topology.output], run(graph, sample[None]))


@pytest.mark.usefixtures("_needs_micro")
def test_a_sample_of_another_shape_is_refused() -> None:
    graph = random_network(4)
    with pytest.raises(ToolchainError):
        run_tflite_micro(write_tflite(graph), np.zeros((1, 1), np.int8))


def test_litert_agrees_to_a_code() -> None:
    pytest.importorskip("ai_edge_litert")
    graph = resnet8()
    codes = random_codes(graph, 5)
    for reference_kernels in (False, True):
        got = run_litert(write_tflite(graph), codes, reference_kernels)
        assert got.shape == (5, 10)
        assert (np.abs(got.astype(int) - run(graph, codes)) <= 1).mean() > 0.9


def test_litert_reference_kernels_convolve_as_we_do() -> None:
    pytest.importorskip("ai_edge_litert")
    builder = RandomQuantGraph(1, (9, 9, 3))
    graph = builder.build(builder.depthwise_conv2d(builder.conv2d(builder.input, 6, stride=(2, 2))))
    codes = random_codes(graph, 5)
    assert np.array_equal(run_litert(write_tflite(graph), codes, reference_kernels=True), run(graph, codes))


def test_missing_runtimes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    graph = random_network(4)
    model = write_tflite(graph)
    monkeypatch.setattr(twin, "import_module", missing)
    with pytest.raises(ToolchainError, match=r"tflite_micro is missing; run: pip install sq-micro\[oracle\]"):
        run_tflite_micro(model, random_codes(graph, 1))
    with pytest.raises(ToolchainError, match="ai_edge_litert or tflite_runtime is missing"):
        run_litert(model, random_codes(graph, 1))


def test_a_model_that_litert_refuses_is_an_error_of_the_tool() -> None:
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(ToolchainError, match="refuses"):
        run_litert(b"no model at all", np.zeros((1, 1), np.int8))
