/*
 * Packed codes to the words that the inner loops read: one block of channels, outside the pixel
 * loop. README.md draws the layouts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_UNPACK_H
#define SQM_ARMV7EM_DSP_UNPACK_H

#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"
#include "sqm/compiler.h"

/** a + b, half by half. */
SQM_INLINE uint32_t sqm_add_halves(uint32_t a, uint32_t b)
{
    uint32_t sum;
    __asm__("sadd16 %0, %1, %2" : "=r"(sum) : "r"(a), "r"(b));
    return sum;
}

/** Word `i` of a plane's words of so many bits: a code in each byte. */
#define SQM_UNPACK_CODES(word, i, bits)                                                            \
    ((word) >> ((i) * (bits)) & 0x01010101u * ((1u << (bits)) - 1u))

/**
 * Two planes of codes to halves, even + 256 * odd of two channels: what a code of 0 means is added
 * by halves, which borrows from the odd channel where the even one is negative.
 */
SQM_INLINE void sqm_unpack_to_lanes(const uint32_t *planes, const uint32_t *meaning, int32_t taps,
                                    uint32_t *words, int32_t high, int32_t low)
{
    const uint32_t *fine = planes + taps * high / 8;
    const uint32_t meaning01 = meaning[0];
    const uint32_t meaning23 = meaning[1];

    for (int32_t n = taps * low / 8; n > 0; --n) {
        const uint32_t fine_word = *fine++;
        uint32_t coarse_word = 0;
        for (int32_t i = 0; i < 8 / low; ++i) {
            if (i % (8 / high) == 0) {
                coarse_word = *planes++;
            }
            const uint32_t codes = (SQM_UNPACK_CODES(coarse_word, i % (8 / high), high) << low) +
                                   SQM_UNPACK_CODES(fine_word, i, low);
            *words++ = sqm_add_halves(codes, i % 2 == 0 ? meaning01 : meaning23);
        }
    }
}

#define SQM_DEFINE_UNPACK(wgt, high, low)                                                          \
    SQM_SHARED void sqm_unpack_s8_##wgt##_1x4__armv7em_dsp(                                        \
        const uint32_t *planes, const uint32_t *meaning, int32_t taps, uint32_t *words)            \
    {                                                                                              \
        sqm_unpack_to_lanes(planes, meaning, taps, words, high, low);                              \
    }

SQM_DEFINE_UNPACK(w6, 4, 2)
SQM_DEFINE_UNPACK(w5, 4, 1)
SQM_DEFINE_UNPACK(w3, 2, 1)

#undef SQM_DEFINE_UNPACK
#undef SQM_UNPACK_CODES

/**
 * Eight channels of 2 bits to halves, u_even + 2^14 * v_odd of two channels: four words a word,
 * each a rotation and a mask. 13 instructions and 25 cycles for 32 weights; `meaning` is not looked
 * at.
 */
SQM_NAKED void sqm_unpack_s8_w2_1x8__armv7em_dsp(SQM_IN_ASM const uint32_t *planes,
                                                 SQM_IN_ASM const uint32_t *meaning,
                                                 SQM_IN_ASM int32_t taps,
                                                 SQM_IN_ASM uint32_t *words)
{
#define SQM_ASM_FOUR_WORDS(from)                                                                   \
    "and.w r6, r1, " #from "\n"                                                                    \
    "and.w r7, r1, " #from ", ror #4\n"                                                            \
    "and.w r8, r1, " #from ", ror #8\n"                                                            \
    "and.w r9, r1, " #from ", ror #12\n"                                                           \
    "stmia.w r3!, {r6-r9}\n"
    __asm__("push.w {r4-r9}\n"
            "movw r1, #0xC003\n"
            "movt r1, #0xC003\n"
            "add.w r2, r0, r2, lsl #1\n"
            ".balign 4\n"
            "1:\n"
            "ldmia.w r0!, {r4, r5}\n" SQM_ASM_FOUR_WORDS(r4)
                SQM_ASM_FOUR_WORDS(r5) "cmp.w r0, r2\n"
                                       "bne.w 1b\n"
                                       "pop.w {r4-r9}\n"
                                       "bx lr\n" ::
                                           : "memory");
#undef SQM_ASM_FOUR_WORDS
}

#endif
