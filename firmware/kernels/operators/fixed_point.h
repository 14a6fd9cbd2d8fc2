/*
 * exp, 1 / (1 + x) and the logistic function in 32-bit fixed point, bit for bit as TFLite computes
 * them (with gemmlowp). The Python twin is sq_micro/reference/fixed_point.py.
 *
 * A number in format Qm has m integer bits: it stands for raw / 2^(31 - m). These functions are out
 * of line on purpose: they run once per element of small tensors, and softmax calls the first one
 * twice.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_FIXED_POINT_H
#define SQM_OPERATORS_FIXED_POINT_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/requantize.h"

/** value * 2^bits; beyond +-(2^(31 - bits) - 1) the ends of int32. */
SQM_INLINE int32_t sqm_shift_left_saturating(int32_t value, int32_t bits)
{
    const int32_t threshold = (int32_t)((UINT32_C(1) << (31 - bits)) - 1u);

    if (value > threshold) {
        return INT32_MAX;
    }
    if (value < -threshold) {
        return INT32_MIN;
    }
    return value * (int32_t)(UINT32_C(1) << bits);
}

/** exp(value) in Q0 for value in [-1/4, 0) in Q0: four terms of the Taylor series around -1/8. */
SQM_INLINE int32_t sqm_exp_near_minus_eighth(int32_t value)
{
    const int32_t exp_minus_eighth = 1895147668;
    const int32_t third = 715827883;
    const int32_t x = value + (1 << 28);
    const int32_t x2 = sqm_doubling_high_mul(x, x);
    const int32_t x3 = sqm_doubling_high_mul(x2, x);
    const int32_t x4_over_4 = sqm_divide_by_power_of_two(sqm_doubling_high_mul(x2, x2), 2);
    const int32_t tail =
        sqm_divide_by_power_of_two(sqm_doubling_high_mul(x4_over_4 + x3, third) + x2, 1);

    return exp_minus_eighth + sqm_doubling_high_mul(x + tail, exp_minus_eighth);
}

/**
 * exp(value) in Q0, for value <= 0 in Q`integer_bits`, integer_bits 0 ... 5.
 *
 * value = rest - multiple, with rest in [-1/4, 0) and a multiple of 1/4: the rest goes through the
 * Taylor polynomial, each bit of the multiple through one multiplication with exp(-2^k).
 */
SQM_OUT_OF_LINE int32_t sqm_exp_of_negative(int32_t value, int32_t integer_bits)
{
    static const int32_t exp_of_minus_power[7] = {1672461947, 1302514674, 790015084, 290630308,
                                                  39332535,   720401,     242};
    const int32_t quarter_bit = 29 - integer_bits;
    const int32_t quarter = (int32_t)(UINT32_C(1) << quarter_bit);
    const int32_t rest = (int32_t)((uint32_t)value & (uint32_t)(quarter - 1)) - quarter;
    const uint32_t quarters = (uint32_t)(rest - value) >> quarter_bit;
    int32_t result = sqm_exp_near_minus_eighth(rest * (int32_t)(UINT32_C(1) << integer_bits));

    for (int32_t i = 0; i < integer_bits + 2; ++i) {
        if ((quarters >> i & 1u) != 0) {
            result = sqm_doubling_high_mul(result, exp_of_minus_power[i]);
        }
    }
    return value == 0 ? INT32_MAX : result;
}

/**
 * 1 / (1 + value) in Q0, for value in [0, 1) in Q0: three steps of Newton-Raphson for 1 / d with
 * d = (1 + value) / 2, from 48/17 - 32/17 d, which is never off by more than 1/17.
 */
SQM_OUT_OF_LINE int32_t sqm_one_over_one_plus(int32_t value)
{
    const int32_t half_denominator = (int32_t)(((uint32_t)value + (UINT32_C(1) << 31)) >> 1);
    const int32_t one = 1 << 29; /* in Q2, as are the constants and x */
    int32_t x = 1515870810 + sqm_doubling_high_mul(half_denominator, -1010580540);

    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = one - sqm_doubling_high_mul(half_denominator, x);
        x += sqm_shift_left_saturating(sqm_doubling_high_mul(x, error), 2);
    }
    return sqm_shift_left_saturating(x, 1); /* x / 2 in Q1, to Q0 */
}

/** 1 / (1 + exp(-value)) in Q0, for value > -2^31 in Q`integer_bits`. */
SQM_INLINE int32_t sqm_logistic(int32_t value, int32_t integer_bits)
{
    const int32_t negative = value > 0 ? -value : value;
    int32_t positive;

    if (value == 0) {
        return 1 << 30;
    }
    positive = sqm_one_over_one_plus(sqm_exp_of_negative(negative, integer_bits));
    return value > 0 ? positive : INT32_MAX - positive;
}

#endif
