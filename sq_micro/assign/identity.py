"""What a stored result depends on, as a hash: the network, its ranges, the samples, and the code that made it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from sq_micro.ir.float_graph import Float32Array, FloatGraph
from sq_micro.ir.storage import topology_document
from sq_micro.quant.calibrate import Ranges
from sq_micro.store import content_key

_ROOMS = ("ir", "quant", "reference", "rounding", "assign")


def network_key(graph: FloatGraph, ranges: Ranges, samples: Float32Array) -> str:
    """A hash of everything that a network's integers depend on beside bits and rounding method."""
    spans = [(name, span.minimum.hex(), span.maximum.hex()) for name, span in sorted(ranges.tensors.items())]
    narrow = sorted(ranges.bits.items())
    constants = [part for name, array in sorted(graph.constants.items()) for part in (name, array)]
    if graph.given is not None:
        constants += [part for name, array in sorted(graph.given.arrays().items()) for part in (name, array)]
    topology = json.dumps(topology_document(graph.topology))
    return content_key(_code_key(), topology, repr(graph.input_shape), repr(spans), repr(narrow), *constants, samples)


@cache
def _code_key() -> str:
    """A hash of the source of all rooms that have a part in the numbers: another version must not find old results."""
    package = Path(__file__).resolve().parent.parent
    files = sorted(file for room in _ROOMS for file in (package / room).rglob("*.py"))
    return content_key(*(part for file in files for part in (file.relative_to(package).as_posix(), file.read_bytes())))
