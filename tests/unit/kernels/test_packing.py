"""Golden bytes: the drawings of firmware/kernels/README.md, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sq_micro.kernels.packing import pack_rows, pack_run, pack_taps, plane_bytes, to_codes, to_weights
from sq_micro.quant.params import Levels

# Codes and bytes. The high plane comes first; within a plane, code 0 lies in the lowest bits of byte 0.
ROWS = {
    8: ([1, -2, 127], "01 fe 7f"),
    6: ([-32, 31, 0, 5, -1], "78 10 0f | 4c 03"),
    5: ([-16, 15, 0, 5, -1], "78 20 0f | 1a"),
    4: ([1, -2, 3, 7, -8], "e1 73 08"),
    3: ([-4, 3, 0, 2, -1], "46 03 | 12"),
    2: ([-2, 1, 0, 1, -1], "46 03"),
}


@pytest.mark.parametrize("bits", ROWS)
def test_a_row_has_the_bytes_of_its_drawing(bits: int) -> None:
    codes, drawing = ROWS[bits]
    expected = bytes.fromhex(drawing.replace("|", ""))
    assert pack_run(np.array(codes, np.int8), bits).tobytes() == expected
    assert plane_bytes(len(codes), bits) == len(expected)


def test_rows_begin_at_bytes_and_taps_do_not() -> None:
    weights = np.array([[1, 2, 3], [4, 5, 6]], np.int8)
    plain = np.array([Levels.TWOS, Levels.TWOS], np.int8)
    assert pack_rows(weights, plain, 4).tobytes().hex() == "2103" + "5406"
    # The same weights as (taps, channels) = (3, 2): tap 0 of both channels, then tap 1, then tap 2.
    assert pack_taps(np.ascontiguousarray(weights.T), plain, 4).tobytes().hex() == "415263"


def test_both_planes_belong_to_a_row() -> None:
    """High, low, high, low; not all high planes first."""
    weights = np.array([[1, 0], [0, 2]], np.int8)
    packed = pack_rows(weights, np.array([1, 1], np.int8), 3)
    assert packed.tobytes().hex() == "0001" + "0400"


def test_levels_say_what_a_code_means() -> None:
    weights = np.array([[-2, 1], [2, -1], [-3, 3]], np.int8)
    levels = np.array([Levels.TWOS, Levels.MIRRORED, Levels.ODD], np.int8)
    codes = to_codes(weights, levels)
    assert codes.tolist() == [[-2, 1], [-2, 1], [-2, 1]]
    assert to_weights(codes, levels).tolist() == weights.tolist()
