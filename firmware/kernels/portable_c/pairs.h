/*
 * Two products in one multiplication, for cores without SIMD: the weights of two channels lie in a
 * word as w_a + 2^16 * w_b, and x times the word is x * w_a + 2^16 * x * w_b. Sums of such products
 * are exact modulo 2^32 as long as the lower one stays within 16 bits:
 *
 *   |x + input_offset| <= 255 and |w| <= 2^(b - 1), so `most` taps with 255 * 2^(b - 1) * most <=
 * 32640
 *
 *   bits   6   5    4    3    2      (2 bits: |w| <= 3)
 *   most   4   8   16   32   42
 *
 * Then the two are taken apart: the lower sum is the lower half, signed; the rest is the upper. On
 * a Cortex-M3 a tap of four channels takes three loads, an addition and two MLA, where bytes take
 * five loads, an addition and four MLA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_PORTABLE_C_PAIRS_H
#define SQM_PORTABLE_C_PAIRS_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/thumb/pairs_tap.h"

/** Tap i of x times channels 0 and 1, and 2 and 3, whose words are the next two. */
#if defined(SQM_THUMB_PAIRS_TAP)
#define SQM_PAIRS_TAP(i) SQM_THUMB_PAIRS_TAP(x, i, input_offset, words, sum01, sum23)
#define SQM_PAIRS_TAPS_DONE(step)
#else
#define SQM_PAIRS_TAP(i)                                                                           \
    do {                                                                                           \
        SQM_STEP_STARTS_4(x, words, sum01, sum23);                                                 \
        int32_t value_ = x[i];                                                                     \
        uint32_t first_ = words[2 * (i)];                                                          \
        uint32_t second_ = words[2 * (i) + 1];                                                     \
        SQM_LOADED_TOGETHER_3(value_, first_, second_);                                            \
        value_ += input_offset;                                                                    \
        sum01 += (uint32_t)value_ * first_;                                                        \
        sum23 += (uint32_t)value_ * second_;                                                       \
    } while (0)
#define SQM_PAIRS_TAPS_DONE(step) words += 2 * (step)
#endif

/** Tap i of a step that has as many. */
#define SQM_PAIRS_TAP_OF(step, i)                                                                  \
    if ((i) < (step)) {                                                                            \
        SQM_PAIRS_TAP(i);                                                                          \
    }

/** The two sums of a word, added to others. */
SQM_INLINE void sqm_pairs_apart(uint32_t sum, int32_t *even, int32_t *odd)
{
    const int32_t low = (int16_t)sum;
    *even += low;
    *odd += (int32_t)(sum - (uint32_t)low) >> 16;
}

/** Taps that are written out: at most `most`, and a part of `multiple`, so that none are left. */
SQM_INLINE int32_t sqm_pairs_step(int32_t multiple, int32_t most)
{
#define SQM_PAIRS_STEP(taps)                                                                       \
    if ((taps) <= most && multiple % (taps) == 0) {                                                \
        return taps;                                                                               \
    }
    SQM_PAIRS_STEP(16)
    SQM_PAIRS_STEP(12)
    SQM_PAIRS_STEP(9)
    SQM_PAIRS_STEP(8)
    SQM_PAIRS_STEP(6)
    SQM_PAIRS_STEP(5)
    SQM_PAIRS_STEP(4)
    SQM_PAIRS_STEP(3)
    SQM_PAIRS_STEP(2)
#undef SQM_PAIRS_STEP
    return 1;
}

/** See sqm_pairs_1x4; at most `most` taps between two times that sums are taken apart. */
SQM_INLINE void sqm_pairs(const int8_t *x, int32_t input_offset, const uint32_t *words, int32_t k,
                          int32_t multiple, int32_t acc[4], int32_t most)
{
    const int32_t step = sqm_pairs_step(multiple, most);
    int32_t acc0 = acc[0];
    int32_t acc1 = acc[1];
    int32_t acc2 = acc[2];
    int32_t acc3 = acc[3];

    for (; k > 0; k -= step) {
        uint32_t sum01 = 0;
        uint32_t sum23 = 0;

        SQM_PAIRS_TAP_OF(step, 0)
        SQM_PAIRS_TAP_OF(step, 1)
        SQM_PAIRS_TAP_OF(step, 2)
        SQM_PAIRS_TAP_OF(step, 3)
        SQM_PAIRS_TAP_OF(step, 4)
        SQM_PAIRS_TAP_OF(step, 5)
        SQM_PAIRS_TAP_OF(step, 6)
        SQM_PAIRS_TAP_OF(step, 7)
        SQM_PAIRS_TAP_OF(step, 8)
        SQM_PAIRS_TAP_OF(step, 9)
        SQM_PAIRS_TAP_OF(step, 10)
        SQM_PAIRS_TAP_OF(step, 11)
        SQM_PAIRS_TAP_OF(step, 12)
        SQM_PAIRS_TAP_OF(step, 13)
        SQM_PAIRS_TAP_OF(step, 14)
        SQM_PAIRS_TAP_OF(step, 15)
        x += step;
        SQM_PAIRS_TAPS_DONE(step);
        sqm_pairs_apart(sum01, &acc0, &acc1);
        sqm_pairs_apart(sum23, &acc2, &acc3);
    }
    acc[0] = acc0;
    acc[1] = acc1;
    acc[2] = acc2;
    acc[3] = acc3;
}

#undef SQM_PAIRS_TAP
#undef SQM_PAIRS_TAP_OF
#undef SQM_PAIRS_TAPS_DONE

#define SQM_DEFINE_PAIRS(wgt, most)                                                                \
    SQM_INLINE void sqm_pairs_s8_##wgt##_1x4__c(const int8_t *x, int32_t input_offset,             \
                                                const uint32_t *words, int32_t k,                  \
                                                int32_t multiple, int32_t acc[4])                  \
    {                                                                                              \
        sqm_pairs(x, input_offset, words, k, multiple, acc, most);                                 \
    }

SQM_DEFINE_PAIRS(w6, 4)
SQM_DEFINE_PAIRS(w5, 8)
SQM_DEFINE_PAIRS(w4, 16)
SQM_DEFINE_PAIRS(w3, 32)
SQM_DEFINE_PAIRS(w2, 42)

#undef SQM_DEFINE_PAIRS

#endif
