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

/**
 * Words of four int8 weights. A code v of b bits is u - h, with h = 2^(b - 1) and u its bits with
 * the sign turned over, u = code ^ h. Where it counts down, -v is ~u + h + 1, so that both are
 * (code ^ turn) - turn, turn being h or ~h. Then w = 2v + 1 where 2 bits mean that.
 */
SQM_INLINE void sqm_taps_planes(const uint8_t *weights, int32_t number, int32_t channels,
                                int32_t channel, const int8_t *steps, uint32_t *taps, int32_t high,
                                int32_t low)
{
    const uint8_t *fine = weights + (number * channels * high + 7) / 8;
    const uint32_t ones = UINT32_C(0x01010101);
    uint32_t turn = ones << (high + low - 1);
    uint32_t odd = 0;
    int32_t index = channel;

    if (steps != NULL) {
        const uint32_t four = sqm_load_u32((const uint8_t *)steps + channel);
        turn ^= (four >> 7 & ones) * 0xFFu;
        odd = (four >> 1 & ~(four >> 7) & ones) * 0xFFu;
    }
    for (int32_t tap = 0; tap < number; ++tap) {
        uint32_t codes = sqm_four_codes(weights, index, high);
        if (low != 0) {
            codes = codes << low | sqm_four_codes(fine, index, low);
        }
        codes = sqm_ssub8(codes ^ turn, turn);
        if (high + low == 2) {
            codes = sqm_ssub8(sqm_sadd8(codes, codes & odd), odd);
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
