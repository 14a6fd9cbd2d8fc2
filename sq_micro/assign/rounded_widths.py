"""Every operator's weights at every width: what measures damages wants them, and what builds images of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sq_micro.assign.damage import BASE_BITS, RoundingJob, round_widths
from sq_micro.assign.identity import network_key
from sq_micro.assign.output_divergence import real_samples
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.mapper import Mapper, SerialMapper
from sq_micro.quant.calibrate import Ranges, SampleSource
from sq_micro.quant.params import Float32Array
from sq_micro.quant.quantize import Frame, QuantizedWeights
from sq_micro.rounding import RoundingMethod, collect_statistics
from sq_micro.store import content_key

ByWidth = Mapping[int, QuantizedWeights]


@dataclass(slots=True)
class RoundedWidths:
    """Rounded when they are first asked for, from one set of statistics an operator.

    samples  real values (n, *input_shape); labels are not used
    bits     ascending
    key      a hash of what the weights follow from
    """

    frame: Frame
    samples: Float32Array
    bits: tuple[int, ...]
    method: RoundingMethod
    mapper: Mapper
    ranges: Ranges
    key: str
    _found: dict[str, ByWidth] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        graph: FloatGraph,
        ranges: Ranges,
        samples: NDArray[np.floating] | SampleSource,
        widths: Sequence[int] = WEIGHT_BITS,
        method: RoundingMethod = "feedback",
        mapper: Mapper | None = None,
    ) -> RoundedWidths:
        """Nothing is rounded yet. Raises QuantizationError for a tensor without a range."""
        values = real_samples(samples, 0, len(samples))
        bits = tuple(sorted({*widths, BASE_BITS}))
        key = content_key(network_key(graph, ranges, values), method)
        return cls(Frame.of(graph, ranges), values, bits, method, mapper or SerialMapper(), ranges, key)

    def weights(self) -> Mapping[str, ByWidth]:
        """By operator, then by width."""
        if not self._found:
            statistics = {}
            if self.method == "feedback":
                statistics = collect_statistics(self.frame.graph, self.ranges, self.samples)
            operators = list(self.frame.topology.weighted())
            jobs = [RoundingJob(self.frame, op, statistics.get(op.name), self.bits) for op in operators]
            self._found.update(zip((op.name for op in operators), self.mapper.map(round_widths, jobs), strict=True))
        return self._found
