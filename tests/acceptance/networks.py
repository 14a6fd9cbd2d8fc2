"""Trained networks for whole-path tests, each analyzed and calibrated once per process.

The networks with their samples lie beside the checkout, in `../shared/data`; tests skip, by name, where they do not.
The digits network is the exception: it is the example that comes with the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from sq_micro.frontend.keras_model import load_keras
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.passes import canonicalise
from sq_micro.quant.calibrate import Ranges, observe
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import quantize
from sq_micro.quant.samples import Samples, load_samples
from sq_micro.reference.golden_vectors import GoldenVectors, make_golden_vectors

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NETWORKS = ("digits_cnn", "fmnist_cnn", "dscnn_kws", "resnet8_cifar10")
GOLDEN_SAMPLES = 100
_MIXED = (8, 4, 6, 2, 5, 3)


@dataclass(frozen=True)
class Network:
    """A float graph in canonical form, its calibrated ranges and its labelled samples."""

    graph: FloatGraph
    ranges: Ranges
    evaluation: Samples


def network_folder(name: str) -> Path:
    """Skips the test, by name, where the networks are not on this machine."""
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{name}: ../shared/data is not on this machine")
    return folder


@cache
def network(name: str) -> Network:
    folder = network_folder(name)
    graph = canonicalise(load_keras(folder / "model.keras"))
    calibration = load_samples(folder / "calib.npz", graph.input_shape)
    classes = graph.topology.shape(graph.topology.output)[-1]
    return Network(graph, observe(graph, calibration), load_samples(folder / "eval.npz", graph.input_shape, classes))


def bitwidths(graph: FloatGraph, plan: str) -> Bitwidths:
    """`8` … `2`, or `mixed`: every width in turn."""
    names = [operator.name for operator in graph.topology.weighted()]
    widths: Mapping[str, int]
    if plan == "mixed":
        widths = {name: _MIXED[index % len(_MIXED)] for index, name in enumerate(names)}
    else:
        widths = dict.fromkeys(names, int(plan))
    return Bitwidths(widths)


@cache
def quantized(name: str, plan: str) -> tuple[QuantGraph, GoldenVectors]:
    """The integers of a network, and what the reference computes of its first samples."""
    known = network(name)
    graph = quantize(known.graph, known.ranges, bitwidths(known.graph, plan))
    inputs = graph.quantize_input(known.evaluation.real(0, GOLDEN_SAMPLES))
    return graph, make_golden_vectors(graph, inputs)
