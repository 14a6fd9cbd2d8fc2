"""Which function makes a convolution's columns on DSP cores, and that its scratch holds what that writes."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from sq_micro.ir.operators import Conv2D, Pad
from sq_micro.kernels.columns import columns_kind, columns_staging_bytes
from sq_micro.kernels.dsp import conv2d_columns, conv2d_taps
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import RandomQuantGraph


def convolution(channels: int, bits: int = 8, **geometry: Any) -> tuple[Conv2D, QuantGraph]:
    builder = RandomQuantGraph(0, (9, 7, channels))
    graph = builder.build(builder.conv2d(builder.input, 4, bits=bits, **geometry))
    (operator,) = graph.topology.operators
    assert isinstance(operator, Conv2D)
    return operator, graph


@pytest.mark.parametrize(
    ("channels", "geometry", "kind"),
    [
        (1, {"window": (3, 3)}, "padded_threes"),
        (1, {"window": (3, 3), "padding": Pad()}, "threes"),
        (1, {"window": (5, 4), "stride": (2, 2)}, "padded_runs"),
        (2, {"window": (3, 2)}, "padded_runs"),
        (1, {"window": (5, 5)}, "padded_bytes"),
        (1, {"window": (3, 3), "bits": 3}, "padded_bytes"),  # columns are filled up to 16 taps
        (1, {"window": (3, 3), "dilation": (1, 2)}, "bytes"),
        (3, {"window": (3, 3)}, "nines"),
        (3, {"window": (3, 3), "dilation": (2, 1)}, "bytes"),
        (6, {"window": (3, 2)}, "runs"),
        (6, {"window": (3, 2), "padding": Pad()}, "inside"),
        (5, {"window": (3, 3)}, "bytes"),
        (4, {"window": (1, 1)}, "inside"),
        (4, {"window": (3, 3)}, "words"),
        (4, {"window": (3, 3), "dilation": (2, 1)}, "words"),
        (4, {"window": (3, 3), "dilation": (1, 2)}, "words_apart"),
    ],
)
def test_the_function_follows_from_the_window(channels: int, geometry: dict[str, Any], kind: str) -> None:
    operator, graph = convolution(channels, **geometry)
    bits = graph.bitwidths.weights[operator.name]
    assert columns_kind(operator, graph.topology, conv2d_taps(operator, graph.topology, bits)) == kind


def test_codes_without_a_sign_want_sums() -> None:
    operator, graph = convolution(8, bits=4)
    assert conv2d_columns(operator, graph.topology, 4) == "sqm_columns_words_and_sum"


@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("pixels", [2, 4, 16, 64])
def test_scratch_holds_the_padded_rows_of_every_part(stride: tuple[int, int], pixels: int) -> None:
    """Parts of an image are narrower or lower than the whole; a tile begins anywhere in them."""
    operator, graph = convolution(1, window=(3, 3), stride=stride)
    reserved = columns_staging_bytes(operator, graph.topology, 12, pixels)
    rows, columns, _ = graph.topology.image_shape(operator.output)

    def written(height: int, width: int, first: int) -> int:
        last = min(first + pixels, height * width) - 1
        spanned = last // width - first // width
        return (spanned * stride[0] + 3) * ((width - 1) * stride[1] + 3)

    parts = product(range(1, rows + 1), range(1, columns + 1))
    most = max(written(h, w, first) for h, w in parts for first in range(0, h * w, pixels))
    assert 0 < most <= reserved
