"""The fixed-point functions approximate the real ones; that they are gemmlowp's is shown by the differential tests."""

from __future__ import annotations

import numpy as np
import pytest

from sq_micro.reference.fixed_point import INT32_MAXIMUM, exp_of_negative, logistic, one_over_one_plus, reciprocal


@pytest.mark.parametrize("integer_bits", [0, 2, 4, 5])
def test_exp_of_negative_is_exp(integer_bits: int) -> None:
    value = -np.linspace(0, 2**31, 4001).astype(np.int64)
    real = np.exp(value / 2.0 ** (31 - integer_bits))
    assert np.abs(exp_of_negative(value, integer_bits) / 2.0**31 - real).max() < 3e-7


def test_exp_of_zero_saturates() -> None:
    assert exp_of_negative(np.zeros(1, np.int64), 5).tolist() == [INT32_MAXIMUM]


def test_one_over_one_plus_is_right_to_28_bits() -> None:
    value = np.linspace(0, 2**31 - 1, 5001).astype(np.int64)
    assert np.abs(one_over_one_plus(value) / 2.0**31 - 1 / (1 + value / 2.0**31)).max() < 2.0**-28


def test_logistic_is_symmetric_around_a_half() -> None:
    value = np.linspace(-(2**31) + 1, 2**31 - 1, 2001).astype(np.int64)
    got = logistic(value, 4) / 2.0**31
    assert np.abs(got - 1 / (1 + np.exp(-value / 2.0**27))).max() < 3e-7
    assert logistic(np.zeros(1, np.int64), 4).tolist() == [1 << 30]


def test_reciprocal_times_value_is_one() -> None:
    value = np.array([1 << 19, (1 << 19) + 1, 3 << 19, 12345678, (1 << 31) - 1], np.int64)
    inverse, bits = reciprocal(value, 12)
    assert np.allclose(inverse / 2.0**31 * 2.0 ** -bits.astype(float), 2.0**19 / value, rtol=1e-7)
