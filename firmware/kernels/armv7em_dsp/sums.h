/*
 * Sums and maxima over pixels, four channels at a time: what pooling and means are made of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_SUMS_H
#define SQM_ARMV7EM_DSP_SUMS_H

#include <stdint.h>

#include "kernels/armv7em_dsp/simd.h"
#include "sqm/compiler.h"

/** Sums of four neighbouring channels as 16-bit numbers: of channels 0 and 2, of 1 and 3. */
typedef struct {
    uint32_t even;
    uint32_t odd;
} sqm_four_sums;

/** Codes that a 16-bit sum holds: 256 * -128 = -2^15. */
#define SQM_FOUR_SUMS_PIXELS 256

/** `sums` and the codes at x, x + step, ... of `count` pixels, at least 1. */
SQM_INLINE sqm_four_sums sqm_four_sums_of(sqm_four_sums sums, const int8_t *x, int32_t step,
                                          int32_t count)
{
    const int8_t *const end = x + count * step;
    do {
        const uint32_t codes = sqm_load_u32((const uint8_t *)x);
        sums.even = sqm_sxtab16_even(sums.even, codes);
        sums.odd = sqm_sxtab16_odd(sums.odd, codes);
        x += step;
    } while (x != end);
    return sums;
}

/** The sum of channel 0 ... 3. */
SQM_INLINE int32_t sqm_four_sums_get(sqm_four_sums sums, int32_t channel)
{
    const uint32_t pair = channel % 2 == 0 ? sums.even : sums.odd;
    return channel / 2 == 0 ? (int16_t)pair : (int32_t)pair >> 16;
}

/** The largest of `largest` and the codes at x, x + step, ... by channel. */
SQM_INLINE uint32_t sqm_four_largest_of(uint32_t largest, const int8_t *x, int32_t step,
                                        int32_t count)
{
    const int8_t *const end = x + count * step;
    do {
        largest = sqm_largest_bytes(largest, sqm_load_u32((const uint8_t *)x));
        x += step;
    } while (x != end);
    return largest;
}

#endif
