/*
 * Codes of fewer than 8 bits to layout lanes of 8 bits: one block of four channels, outside the
 * pixel loop. README.md draws the layout.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_UNPACK_H
#define SQM_ARMV7EM_DSP_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "sqm/compiler.h"

/**
 * Word i of a block: codes of two channels and two taps as bytes, out of planes of `high` and `low`
 * bits (0 for one plane), times `scale` bytewise, plus `base` by halves. `base` is what a code of 0
 * means in each channel: base_even + 256 * base_odd in both halves.
 */
#define SQM_UNPACK_MASK(bits) (0x01010101u * ((1u << (bits)) - 1u))

SQM_INLINE uint32_t sqm_add_halves(uint32_t a, uint32_t b)
{
    uint32_t sum;
    __asm__("sadd16 %0, %1, %2" : "=r"(sum) : "r"(a), "r"(b));
    return sum;
}

/**
 * A block's codes to words of the layout of 8 bits.
 *
 * @param[in]  planes  the block's high plane, then its low plane, aligned to words.
 * @param[in]  meaning per pair of channels: base, and the mask of those whose codes count twice.
 * @param      taps    a multiple of 8 / the narrower plane's bits.
 * @param[out] words   `taps` words.
 */
SQM_INLINE void sqm_unpack_lanes(const uint32_t *planes, const uint32_t *meaning, int32_t taps,
                                 uint32_t *words, int32_t high, int32_t low, bool twice)
{
    const uint32_t *fine = planes + taps * high / 8;
    const int32_t span = low == 1 || high == 1 ? 8 : low == 2 || high == 2 ? 4 : 2;
    const uint32_t base0 = meaning[0];
    const uint32_t base1 = meaning[1];

    for (int32_t n = taps / span; n > 0; --n) {
        uint32_t coarse_word = 0;
        uint32_t fine_word = 0;
        if (low != 0) {
            fine_word = *fine++;
        }
        for (int32_t i = 0; i < span; ++i) {
            const int32_t inside = i % (8 / high);
            if (inside == 0) {
                coarse_word = *planes++;
            }
            uint32_t codes = (coarse_word >> (inside * high)) & SQM_UNPACK_MASK(high);
            if (low != 0) {
                codes = ((fine_word >> (i * low)) & SQM_UNPACK_MASK(low)) + (codes << low);
            }
            if (twice) {
                codes += codes & meaning[2 + i % 2];
            }
            *words++ = sqm_add_halves(codes, i % 2 == 0 ? base0 : base1);
        }
    }
}

#define SQM_DEFINE_UNPACK(wgt, high, low)                                                          \
    SQM_SHARED void sqm_unpack_s8_##wgt##_1x4__armv7em_dsp(                                        \
        const uint32_t *planes, const uint32_t *meaning, int32_t taps, uint32_t *words)            \
    {                                                                                              \
        sqm_unpack_lanes(planes, meaning, taps, words, high, low, high + low == 2);                \
    }

SQM_DEFINE_UNPACK(w6, 4, 2)
SQM_DEFINE_UNPACK(w5, 4, 1)
SQM_DEFINE_UNPACK(w4, 4, 0)
SQM_DEFINE_UNPACK(w3, 2, 1)
SQM_DEFINE_UNPACK(w2, 2, 0)

#undef SQM_DEFINE_UNPACK

#endif
