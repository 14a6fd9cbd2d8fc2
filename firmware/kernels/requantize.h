/*
 * The one rounding rule: int32 accumulators to the scale of the output, bit for bit as TFLite's
 * reference kernels do it. The Python twin is sq_micro/quant/requantize.py.
 *
 * A real factor is multiplier * 2^(shift - 31). TFLite rounds twice:
 *
 *   product = round(acc * 2^left * multiplier / 2^31)     to nearest, halves up
 *   result  = round(product / 2^right)                    to nearest, halves away from zero
 *
 * with left = max(shift, 0) and right = max(-shift, 0). One rounding instead of two differs in
 * about 0.2 % of the values, so both are kept.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_KERNELS_REQUANTIZE_H
#define SQM_KERNELS_REQUANTIZE_H

#include <stdint.h>

#include "sqm/compiler.h"

/** See sqm_doubling_high_mul: for cores whose products have 32 bits, in four of them (Hacker's
 * Delight, 8-2: no sum overflows). Of the lower word the two top bits alone, which are those of
 * `middle`, decide the rounding. */
SQM_INLINE int32_t sqm_doubling_high_mul_of_halves(int32_t left, int32_t right)
{
    const int32_t left_low = left & 0xFFFF;
    const int32_t right_low = right & 0xFFFF;
    const int32_t left_high = left >> 16;
    const int32_t right_high = right >> 16;
    const uint32_t low = (uint32_t)left_low * (uint32_t)right_low;
    const int32_t upper = left_high * right_low + (int32_t)(low >> 16);
    const int32_t middle = left_low * right_high + (upper & 0xFFFF);

    return 2 * (left_high * right_high + (upper >> 16)) + (((middle >> 14) + 1) >> 1);
}

/**
 * left * right / 2^31 to nearest, halves up (gemmlowp's SaturatingRoundingDoublingHighMul).
 *
 * gemmlowp adds 2^30 to a product n >= 0, or 1 - 2^30 to a product n < 0, and divides by 2^31
 * towards zero. For n = -m < 0 that gives -floor((m - 1 + 2^30) / 2^31), and since
 * floor((2^30 - m) / 2^31) = -ceil((m - 2^30) / 2^31) = -floor((m - 2^30 + 2^31 - 1) / 2^31),
 * which is the same number, one floor serves both signs. The shift is that floor.
 *
 * @param left, right  not both -2^31, the one case where the result is no int32.
 */
SQM_INLINE int32_t sqm_doubling_high_mul(int32_t left, int32_t right)
{
#if SQM_HAS_LONG_MULTIPLY
    const int64_t product = (int64_t)left * right;
    return (int32_t)((product + (INT64_C(1) << 30)) >> 31);
#else
    return sqm_doubling_high_mul_of_halves(left, right);
#endif
}

/**
 * value / 2^exponent to nearest, halves away from zero (gemmlowp's RoundingDivideByPOT).
 *
 * With t = value - (value < 0), halves away from zero become halves up, and
 * floor((t + 2^(e-1)) / 2^e) = floor((floor(t / 2^(e-1)) + 1) / 2), whose sum cannot overflow.
 *
 * @param value     > -2^31, and < 2^31 - 1 where exponent is 1.
 * @param exponent  1 ... 31.
 */
SQM_INLINE int32_t sqm_divide_by_power_of_two(int32_t value, int32_t exponent)
{
    const int32_t toward = value + (value >> 31);
    return ((toward >> (exponent - 1)) + 1) >> 1;
}

/**
 * Scale an accumulator by multiplier * 2^(shift - 31).
 *
 * For any acc the product lies in -(2^31 - 1) ... 2^31 - 2, which sqm_divide_by_power_of_two takes.
 *
 * @param acc         acc * 2^max(shift, 0) is an int32; checked when the code is generated.
 * @param multiplier  0 ... 2^31 - 1.
 * @param shift       -31 ... 30.
 */
SQM_INLINE int32_t sqm_requantize(int32_t acc, int32_t multiplier, int32_t shift)
{
    if (shift >= 0) {
        return sqm_doubling_high_mul(acc * (int32_t)(UINT32_C(1) << shift), multiplier);
    }
    return sqm_divide_by_power_of_two(sqm_doubling_high_mul(acc, multiplier), -shift);
}

/** v, or the end of [lo, hi] that it lies beyond. */
SQM_INLINE int32_t sqm_clamp(int32_t v, int32_t lo, int32_t hi)
{
    const int32_t low = v < lo ? lo : v;
    return low > hi ? hi : low;
}

/** v clamped to [minimum, maximum], which lie within int8; constants fold the ends of int8 away. */
SQM_INLINE int8_t sqm_clamp_code(int32_t v, int32_t minimum, int32_t maximum)
{
    if (minimum == INT8_MIN && maximum == INT8_MAX) {
        return (int8_t)SQM_SATURATE_S8(v);
    }
    return (int8_t)sqm_clamp(v, minimum, maximum);
}

/**
 * Accumulator to code: scale, add the output's zero point, clamp.
 *
 * @param offset            zero point of the output.
 * @param minimum, maximum  within -128 ... 127.
 */
SQM_INLINE int8_t sqm_requantize_code(int32_t acc, int32_t multiplier, int32_t shift,
                                      int32_t offset, int32_t minimum, int32_t maximum)
{
    return sqm_clamp_code(sqm_requantize(acc, multiplier, shift) + offset, minimum, maximum);
}

#endif
