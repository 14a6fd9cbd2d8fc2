/*
 * Packed codes to the words that the inner loops read: one block of channels, outside the pixel
 * loop. README.md draws the layouts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_UNPACK_H
#define SQM_ARMV7EM_DSP_UNPACK_H

#include <stdint.h>

#include "kernels/armv7em_dsp/instructions.h"
#include "kernels/armv7em_dsp/registers.h"
#include "sqm/compiler.h"

/**
 * Word `i` of those that one word of the low plane serves, its high part in `coarse`: a code in
 * each byte. What a code of 0 means is added by halves, which borrows from the odd channel where
 * the even one is negative. Written out: compilers do not unroll at -O2, and the shifts shall be
 * constants.
 */
#define SQM_LANES_WORD(i, coarse, fine, high, low)                                                 \
    words[i] = sqm_add_halves(                                                                     \
        ((((coarse) >> (i) % (8 / (high)) * (high)) & 0x01010101u * ((1u << (high)) - 1u))         \
         << (low)) +                                                                               \
            (((fine) >> (i) * (low)) & 0x01010101u * ((1u << (low)) - 1u)),                        \
        (i) % 2 == 0 ? meaning01 : meaning23)

#define SQM_DEFINE_UNPACK(wgt, high, low, span, unpack_span)                                       \
    SQM_BESIDE_ASM void sqm_unpack_s8_##wgt##_1x4__armv7em_dsp(                                    \
        const uint32_t *planes, const uint32_t *meaning, int32_t taps, uint32_t *words)            \
    {                                                                                              \
        const uint32_t *low_plane = planes + taps * (high) / 8;                                    \
        const uint32_t *const end = low_plane;                                                     \
        const uint32_t meaning01 = meaning[0];                                                     \
        const uint32_t meaning23 = meaning[1];                                                     \
        while (planes != end) {                                                                    \
            const uint32_t fine = *low_plane++;                                                    \
            const uint32_t first = *planes++;                                                      \
            const uint32_t second = *planes++;                                                     \
            unpack_span words += span;                                                             \
        }                                                                                          \
    }

#define SQM_LANES_6                                                                                \
    SQM_LANES_WORD(0, first, fine, 4, 2);                                                          \
    SQM_LANES_WORD(1, first, fine, 4, 2);                                                          \
    SQM_LANES_WORD(2, second, fine, 4, 2);                                                         \
    SQM_LANES_WORD(3, second, fine, 4, 2);
#define SQM_LANES_5                                                                                \
    const uint32_t third = *planes++;                                                              \
    const uint32_t fourth = *planes++;                                                             \
    SQM_LANES_WORD(0, first, fine, 4, 1);                                                          \
    SQM_LANES_WORD(1, first, fine, 4, 1);                                                          \
    SQM_LANES_WORD(2, second, fine, 4, 1);                                                         \
    SQM_LANES_WORD(3, second, fine, 4, 1);                                                         \
    SQM_LANES_WORD(4, third, fine, 4, 1);                                                          \
    SQM_LANES_WORD(5, third, fine, 4, 1);                                                          \
    SQM_LANES_WORD(6, fourth, fine, 4, 1);                                                         \
    SQM_LANES_WORD(7, fourth, fine, 4, 1);
#define SQM_LANES_3                                                                                \
    SQM_LANES_WORD(0, first, fine, 2, 1);                                                          \
    SQM_LANES_WORD(1, first, fine, 2, 1);                                                          \
    SQM_LANES_WORD(2, first, fine, 2, 1);                                                          \
    SQM_LANES_WORD(3, first, fine, 2, 1);                                                          \
    SQM_LANES_WORD(4, second, fine, 2, 1);                                                         \
    SQM_LANES_WORD(5, second, fine, 2, 1);                                                         \
    SQM_LANES_WORD(6, second, fine, 2, 1);                                                         \
    SQM_LANES_WORD(7, second, fine, 2, 1);

SQM_DEFINE_UNPACK(w6, 4, 2, 4, SQM_LANES_6)
SQM_DEFINE_UNPACK(w5, 4, 1, 8, SQM_LANES_5)
SQM_DEFINE_UNPACK(w3, 2, 1, 8, SQM_LANES_3)

#undef SQM_DEFINE_UNPACK
#undef SQM_LANES_WORD
#undef SQM_LANES_6
#undef SQM_LANES_5
#undef SQM_LANES_3

/**
 * One plane of 4 bits: two words a word. 12 instructions and 20 cycles for 16 weights.
 */
SQM_NAKED void sqm_unpack_s8_w4_1x4__armv7em_dsp(SQM_IN_ASM const uint32_t *planes,
                                                 SQM_IN_ASM const uint32_t *meaning,
                                                 SQM_IN_ASM int32_t taps,
                                                 SQM_IN_ASM uint32_t *words)
{
    /* clang-format off */
    __asm__(
        "push.w {r4-r10}\n"
        "add.w r2, r0, r2, lsl #1\n"
        "ldrd r9, r10, [r1]\n"
        "mov.w r12, #0x0F0F0F0F\n"
        ".balign 4\n"
        "1:\n"
        "ldrd r1, r8, [r0], #8\n"
        "and.w r4, r12, r1\n"
        "and.w r5, r12, r1, lsr #4\n"
        "and.w r6, r12, r8\n"
        "and.w r7, r12, r8, lsr #4\n"
        "sadd16 r4, r4, r9\n"
        "sadd16 r5, r5, r10\n"
        "sadd16 r6, r6, r9\n"
        "sadd16 r7, r7, r10\n"
        "stmia.w r3!, {r4-r7}\n"
        "cmp.w r0, r2\n"
        "bne.w 1b\n"
        "pop.w {r4-r10}\n"
        "bx lr\n"
        ::: "memory");
    /* clang-format on */
}

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
    /* clang-format off */
    __asm__(
        "push.w {r4-r9}\n"
        "movw r1, #0xC003\n"
        "movt r1, #0xC003\n"
        "add.w r2, r0, r2, lsl #1\n"
        ".balign 4\n"
        "1:\n"
        "ldmia.w r0!, {r4, r5}\n"
        SQM_ASM_FOUR_WORDS(r4)
        SQM_ASM_FOUR_WORDS(r5)
        "cmp.w r0, r2\n"
        "bne.w 1b\n"
        "pop.w {r4-r9}\n"
        "bx lr\n"
        ::: "memory");
    /* clang-format on */
#undef SQM_ASM_FOUR_WORDS
}

#endif
