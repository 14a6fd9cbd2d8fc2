"""Eight bits cost next to nothing: accuracy on the whole labelled sets, by the firmware's own arithmetic."""

from __future__ import annotations

import pytest

from sq_micro.quant.quantize import quantize
from sq_micro.stages.progress import silent
from sq_micro.stages.quantize import measure_accuracy
from tests.acceptance.networks import bitwidths, network


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "samples", "at_least"),
    [
        pytest.param("digits_cnn", 600, 0.970, marks=pytest.mark.xdist_group("digits_cnn-8")),
        pytest.param("fmnist_cnn", 10_000, 0.902, marks=pytest.mark.xdist_group("fmnist_cnn-8")),
        pytest.param("dscnn_kws", 4_410, 0.919, marks=pytest.mark.xdist_group("dscnn_kws-8")),
        pytest.param("resnet8_cifar10", 10_000, 0.868, marks=pytest.mark.xdist_group("resnet8_cifar10-8")),
    ],
)
def test_eight_bits_keep_the_accuracy(name: str, samples: int, at_least: float) -> None:
    known = network(name)
    graph = quantize(known.graph, known.ranges, bitwidths(known.graph, "8"))
    accuracy = measure_accuracy(known.graph, graph, known.evaluation, silent)
    assert accuracy is not None
    assert accuracy.samples == samples
    assert accuracy.quantized >= at_least
    assert abs(accuracy.float_ - accuracy.quantized) < 0.01
