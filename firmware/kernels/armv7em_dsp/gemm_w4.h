/*
 * Two pixels times four output channels, weights of 4 bits where they are in flash.
 *
 * A word of weights holds four channels and two taps: each half is u0 + 16 u1 + 256 u2 + 4096 v3,
 * u unsigned, v3 signed. SMLAD by the word and by its low 12, 8 and 4 bits sums the channels 0 ...
 * 3, 0 ... 2, 0 ... 1 and 0; differences, shifted, are the others: exact modulo 2^32 as long as
 * |sum of x * v3| < 2^19, which is checked when the code is generated. What a code of 0 means in
 * its channel, times the sum of x, is added to each.
 *
 * Per two pairs of taps: 25 instructions and 31 cycles for 32 multiplications.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GEMM_W4_H
#define SQM_ARMV7EM_DSP_GEMM_W4_H

#include "kernels/armv7em_dsp/gemm.h"

/** Two taps: their word in `w`, pixels in r2, r3. */
#define SQM_ASM_FOUR_CHANNELS(w)                                                                   \
    "smlad r7, " #w ", r2, r7\n"                                                                   \
    "smlad r11, " #w ", r3, r11\n"                                                                 \
    "bic.w " #w ", " #w ", #0xF000F000\n"                                                          \
    "smlad r6, " #w ", r2, r6\n"                                                                   \
    "smlad r10, " #w ", r3, r10\n"                                                                 \
    "and.w " #w ", " #w ", #0x00FF00FF\n"                                                          \
    "smlad r5, " #w ", r2, r5\n"                                                                   \
    "smlad r9, " #w ", r3, r9\n"                                                                   \
    "and.w " #w ", " #w ", #0x000F000F\n"                                                          \
    "smlad r4, " #w ", r2, r4\n"                                                                   \
    "smlad r8, " #w ", r3, r8\n"

/** The sums of a channel from what is left of its fields; lr, r12 = the pixels' sums of taps. */
#define SQM_ASM_FOUR_BITS(first, second, shift)                                                    \
    "ldrd r2, r3, [r0], #8\n"                                                                      \
    "mla r1, r3, lr, r2\n"                                                                         \
    "mla r2, r3, r12, r2\n"                                                                        \
    "add.w " #first ", r1, " #first ", asr #" #shift "\n"                                          \
    "add.w " #second ", r2, " #second ", asr #" #shift "\n"

/** Table: bias and meaning of a code of 0 of channels 0 ... 3; then m and s of each. */
SQM_NAKED void sqm_gemm_s8_w4_2x4__armv7em_dsp(SQM_IN_ASM const sqm_gemm *g)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_GEMM_ENTER
        SQM_ASM_CHOOSE_END
        SQM_ASM_CHOOSE_ENTRY(100)
        ".balign 4\n"
        "1:\n"
        SQM_ASM_BEGIN_PAIR
        "bx r12\n"
        ".balign 4\n"
        "2:\n"
        ".rept 8\n"
        "ldrd r12, lr, [r0], #8\n"
        "ldmia.w r1!, {r2, r3}\n"
        SQM_ASM_FOUR_CHANNELS(r12)
        "ldmia.w r1!, {r2, r3}\n"
        SQM_ASM_FOUR_CHANNELS(lr)
        ".endr" "\n"
        SQM_TAKE(r12, 1)
        "cmp.w r1, " "r12\n"
        "bne.w 2b\n"
        SQM_TAKE(r0, 10)
        "ldrd lr, r12, [r0], #8\n"
        SQM_PARK(10, r0)
        SQM_TAKE(r0, 3)
        "sub.w r7, r7, r6\n"
        "sub.w r11, r11, r10\n"
        "sub.w r6, r6, r5\n"
        "sub.w r10, r10, r9\n"
        "sub.w r5, r5, r4\n"
        "sub.w r9, r9, r8\n"
        "ldrd r2, r3, [r0], #8\n"
        "mla r1, r3, lr, r2\n"
        "mla r2, r3, r12, r2\n"
        "add.w r4, r4, r1\n"
        "add.w r8, r8, r2\n"
        SQM_ASM_FOUR_BITS(r5, r9, 4)
        SQM_ASM_FOUR_BITS(r6, r10, 8)
        SQM_ASM_FOUR_BITS(r7, r11, 12)
        SQM_TAKE(r12, 14)
        "bx r12\n"
        SQM_ASM_FOUR_CHANNELS_END
        ::: "memory");
    /* clang-format on */
}

#undef SQM_ASM_FOUR_CHANNELS
#undef SQM_ASM_FOUR_BITS

#endif
