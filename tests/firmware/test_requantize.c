/*
 * requantize.h against the definitions of TFLite's two roundings in 64 bits: values around every
 * rounding boundary, the ends of int32, and random ones, for all shifts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"
#include "kernels/requantize.h"

static void check(int32_t acc, int32_t multiplier, int32_t shift)
{
    const int64_t shifted = shift > 0 ? acc * (INT64_C(1) << shift) : acc;

    expect_value("doubling_high_mul_of_halves", shift,
                 sqm_doubling_high_mul_of_halves(acc, multiplier),
                 sqm_doubling_high_mul(acc, multiplier));
    if (shifted >= INT32_MIN && shifted <= INT32_MAX) {
        expect_value("requantize", shift, sqm_requantize(acc, multiplier, shift),
                     naive_requantize(acc, multiplier, shift));
    }
}

/** Accumulators whose product with a power of two ends in a half, and their neighbours. */
static void check_halves(int32_t shift)
{
    for (int32_t bit = 0; bit < 31; ++bit) {
        for (int32_t odd = -7; odd <= 7; odd += 2) {
            const int64_t near_half = odd * (INT64_C(1) << bit);
            for (int64_t acc = near_half - 2; acc <= near_half + 2; ++acc) {
                if (acc >= INT32_MIN && acc <= INT32_MAX) {
                    check((int32_t)acc, 1 << 30, shift);
                    check((int32_t)acc, 1 << 29, shift);
                    check((int32_t)acc, (1 << 30) + 1, shift);
                    check((int32_t)acc, INT32_MAX, shift);
                }
            }
        }
    }
}

int main(int argc, char **argv)
{
    static const int32_t ends[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
    static const int32_t multipliers[] = {0, 1, 1 << 29, 1 << 30, (1 << 30) + 1, INT32_MAX};

    random_begin(argc, argv);
    for (int32_t shift = -31; shift <= 30; ++shift) {
        check_halves(shift);
        for (size_t i = 0; i < sizeof ends / sizeof *ends; ++i) {
            for (size_t j = 0; j < sizeof multipliers / sizeof *multipliers; ++j) {
                check(ends[i], multipliers[j], shift);
            }
        }
        for (int32_t n = 0; n < 20000; ++n) {
            const int32_t acc = (int32_t)random_u32() >> random_between(0, 31);
            check(acc, random_between(1 << 30, INT32_MAX), shift);
        }
    }
    for (int32_t v = -300; v <= 300; ++v) {
        const int32_t low = random_between(-128, 127);
        const int32_t high = random_between(low, 127);
        expect_value("clamp", v, sqm_clamp(v, low, high), v < low ? low : v > high ? high : v);
        expect_value("requantize_code, all of int8", v,
                     sqm_requantize_code(v, 1 << 30, 1, 3, INT8_MIN, INT8_MAX),
                     naive_code(v, 1 << 30, 1, 3, INT8_MIN, INT8_MAX));
        expect_value("requantize_code, clamped", v,
                     sqm_requantize_code(v, 1 << 30, 1, 3, low, high),
                     naive_code(v, 1 << 30, 1, 3, low, high));
    }
    return report("requantize");
}
