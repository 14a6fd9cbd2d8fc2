"""Networks of the field: how much of their accuracy rounding keeps, by the integers, on the whole evaluation set.

Floors lie about half a point (digits, which are few: a point) below what was measured.
"""

from __future__ import annotations

import pytest

from sq_micro.quant.samples import load_samples
from sq_micro.rounding import round_network
from sq_micro.stages.quantize import measure_accuracy
from tests.acceptance.networks import bitwidths, network, network_folder

FLOORS = [
    ("digits_cnn", 2, 95.5),
    ("digits_cnn", 4, 96.3),
    pytest.param("fmnist_cnn", 2, 89.0, marks=pytest.mark.slow),
    pytest.param("dscnn_kws", 4, 91.4, marks=pytest.mark.long),
    pytest.param("dscnn_kws", 2, 89.0, marks=pytest.mark.slow),
    pytest.param("resnet8_cifar10", 2, 81.9, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("name", "bits", "floor"), FLOORS)
def test_accuracy_after_rounding(name: str, bits: int, floor: float) -> None:
    folder = network_folder(name)
    known = network(name)
    samples = load_samples(folder / "calib.npz", known.graph.input_shape)
    quantized = round_network(known.graph, known.ranges, bitwidths(known.graph, str(bits)), samples)
    measured = measure_accuracy(known.graph, quantized, known.evaluation, lambda _what, _done, _total: None)
    assert measured is not None
    assert 100 * measured.quantized >= floor
