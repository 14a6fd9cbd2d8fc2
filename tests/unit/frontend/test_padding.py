"""SAME padding is TensorFlow's."""

from __future__ import annotations

import pytest

from sq_micro.frontend.padding import image_pair, resolve_padding
from sq_micro.ir.operators import Pad


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("window", range(1, 5))
@pytest.mark.parametrize("stride", range(1, 4))
def test_same_padding_gives_one_output_for_each_stride(size: int, window: int, stride: int) -> None:
    pad = resolve_padding("same", (size, 1), (window, 1), (stride, 1), (1, 1))
    padded = size + pad.top + pad.bottom
    if window > 1 or size % stride == 0:
        assert (padded - window) // stride + 1 == -(-size // stride)
    assert pad.bottom - pad.top in (0, 1)
    assert (pad.left, pad.right) == (0, 0)


def test_valid_and_causal_padding() -> None:
    assert resolve_padding("valid", (5, 5), (3, 3), (1, 1), (1, 1)) == Pad()
    assert resolve_padding("causal", (1, 9), (1, 3), (1, 1), (1, 2)) == Pad(left=4)


def test_an_unknown_word_is_an_error() -> None:
    with pytest.raises(ValueError, match="padding 'reflect' is none that Keras has"):
        resolve_padding("reflect", (5, 5), (3, 3), (1, 1), (1, 1))


def test_settings_of_sequences_lie_along_the_width() -> None:
    assert image_pair((3,)) == (1, 3)
    assert image_pair((2, 3)) == (2, 3)
