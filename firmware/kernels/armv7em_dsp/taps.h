/*
 * The weights of a depthwise convolution, four neighbouring channels at a time, out of the layout
 * `linear`: where the channels are a multiple of four, four codes of a plane never cross a byte
 * that others begin in, and SIMD on bytes makes weights of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_TAPS_H
#define SQM_ARMV7EM_DSP_TAPS_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"
#include "kernels/armv7em_dsp/simd.h"
#include "sqm/compiler.h"

/** Codes index ... index + 3 of a plane as bytes; index is a multiple of 4; bits 1, 2 or 4. */
SQM_INLINE uint32_t sqm_four_codes(const uint8_t *plane, int32_t index, int32_t bits)
{
    uint32_t codes;
    switch (bits) {
    case 4:
        codes = sqm_load_u16(plane + index / 2);
        codes = (codes | codes << 8) & 0x00FF00FFu;
        return (codes | codes << 4) & 0x0F0F0F0Fu;
    case 2:
        codes = plane[index / 4];
        codes = (codes | codes << 12) & 0x000F000Fu;
        return (codes | codes << 6) & 0x03030303u;
    default:
        codes = (uint32_t)plane[index / 8] >> (index % 8) & 0xFu;
        return codes * 0x00204081u & 0x01010101u;
    }
}

/** What codes of four channels mean, as bytes: 0xFF where they count down, and where w = 2v + 1. */
typedef struct {
    uint32_t mirrored;
    uint32_t odd;
} sqm_four_meanings;

SQM_INLINE sqm_four_meanings sqm_four_meanings_of(const int8_t *steps)
{
    sqm_four_meanings found = {0, 0};
    for (int32_t i = 0; i < 4 && steps != NULL; ++i) {
        found.mirrored |= steps[i] < 0 ? UINT32_C(0xFF) << (8 * i) : 0;
        found.odd |= steps[i] == 2 ? UINT32_C(0xFF) << (8 * i) : 0;
    }
    return found;
}

/**
 * Words of four int8 weights. A code v of b bits is u - 2^(b - 1), with u its bits and the
 * sign turned over.
 */
SQM_INLINE void sqm_taps_planes(const uint8_t *weights, int32_t number, int32_t channels,
                                int32_t channel, const int8_t *steps, uint32_t *taps, int32_t high,
                                int32_t low)
{
    const uint8_t *fine = weights + (number * channels * high + 7) / 8;
    const uint32_t half = UINT32_C(0x01010101) << (high + low - 1);
    const sqm_four_meanings means = sqm_four_meanings_of(steps == NULL ? NULL : steps + channel);
    int32_t index = channel;

    for (int32_t tap = 0; tap < number; ++tap) {
        uint32_t codes = sqm_four_codes(weights, index, high);
        if (low != 0) {
            codes = codes << low | sqm_four_codes(fine, index, low);
        }
        codes = sqm_ssub8(codes ^ half, half);
        if (steps != NULL) {
            codes = sqm_ssub8(codes ^ means.mirrored, means.mirrored);
            codes = sqm_ssub8(sqm_sadd8(codes, codes & means.odd), means.odd);
        }
        *taps++ = codes;
        index += channels;
    }
}

#define SQM_DEFINE_TAPS(wgt, high, low)                                                            \
    SQM_BESIDE_ASM void sqm_taps_s8_##wgt##_1x4__armv7em_dsp(                                      \
        const uint8_t *weights, int32_t number, int32_t channels, int32_t channel,                 \
        const int8_t *steps, uint32_t *taps)                                                       \
    {                                                                                              \
        sqm_taps_planes(weights, number, channels, channel, steps, taps, high, low);               \
    }

SQM_DEFINE_TAPS(w6, 4, 2)
SQM_DEFINE_TAPS(w5, 4, 1)
SQM_DEFINE_TAPS(w4, 4, 0)
SQM_DEFINE_TAPS(w3, 2, 1)
SQM_DEFINE_TAPS(w2, 2, 0)

#undef SQM_DEFINE_TAPS

#endif
