/*
 * Two pixels times eight output channels, weights of 2 bits: two channels in each lane of SMLAD.
 *
 * A word of weights (unpacked once per tile) holds two channels and two taps: each half is
 * u_even + 2^14 * v_odd, u 0 ... 3, v -2 ... 1. While the sum of x * u stays within 14 bits, 20
 * products at least and 32 where the u are small, the even channel's share can be taken out (SBFX);
 * the odd one's goes on growing above it, exact as long as |sum of x * v| < 2^17. Both are checked
 * when the code is generated, which says for each block how many products are a round.
 *
 * Per pair of taps: 11 instructions and 17 cycles for 32 multiplications, and 45 instructions and
 * 48 cycles after every round of 10, 12, 14 or 16.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GEMM_W2_H
#define SQM_ARMV7EM_DSP_GEMM_W2_H

#include "kernels/armv7em_dsp/gemm.h"

/** The even channel's share of a sum to its slot. */
/* clang-format off */
#define SQM_ASM_TAKE_OUT(acc, slot)                                                \
    SQM_TAKE(r3, slot)                                                             \
    "sbfx r2, " #acc ", #0, #14\n"                                                 \
    "sub.w " #acc ", " #acc ", r2\n"                                               \
    "add.w r3, r3, r2\n"                                                           \
    SQM_PARK(slot, r3)
/* clang-format on */

/** Sums of a channel to r12 and lr; r0 = its words of the table. */
/* clang-format off */
#define SQM_ASM_EVEN(slot0, slot1)                                                 \
    "ldmia.w r0!, {r1, r2, r3}\n"                                                  \
    SQM_TAKE(r12, 11)                                                              \
    SQM_TAKE(lr, slot0)                                                            \
    "mla r12, r2, r12, r1\n"                                                       \
    "mla r12, r3, lr, r12\n"                                                       \
    SQM_TAKE(lr, 12)                                                               \
    "mla lr, r2, lr, r1\n"                                                         \
    SQM_TAKE(r1, slot1)                                                            \
    "mla lr, r3, r1, lr\n"
/* clang-format on */
/* clang-format off */
#define SQM_ASM_ODD(first, second)                                                 \
    "ldmia.w r0!, {r1, r2, r3}\n"                                                  \
    SQM_TAKE(r12, 11)                                                              \
    SQM_TAKE(lr, 12)                                                               \
    "asr.w " #first ", " #first ", #14\n"                                          \
    "asr.w " #second ", " #second ", #14\n"                                        \
    "mla r12, r2, r12, r1\n"                                                       \
    "mla lr, r2, lr, r1\n"                                                         \
    "mla r12, r3, " #first ", r12\n"                                               \
    "mla lr, r3, " #second ", lr\n"
/* clang-format on */

/** Codes or sums of channel `c`. Behind its three words of the table lie 4 * (17 - c) bytes more.
 */
/* clang-format off */
#define SQM_ASM_CODES(c, requantize)                                                         \
    "ldrd r2, r3, [r0, #84 - 4 * " #c "]\n"                                        \
    SQM_TAKE(r1, 5)                                                                \
    requantize(r12, r2, r3, r1)                                            \
    requantize(lr, r2, r3, r1)                                             \
    SQM_TAKE(r1, 4)                                                                \
    SQM_TAKE(r2, 13)                                                               \
    "strb.w r12, [r1, #" #c "]\n"                                                  \
    "strb.w lr, [r2, #" #c "]\n"
/* clang-format on */
#define SQM_ASM_HIGH_CODES(c) SQM_ASM_CODES(c, SQM_ASM_REQUANTIZE)
#define SQM_ASM_LOW_CODES(c)  SQM_ASM_CODES(c, SQM_ASM_REQUANTIZE_LOW)
/* clang-format off */
#define SQM_ASM_SUMS(c)                                                            \
    SQM_TAKE(r1, 9)                                                                \
    "str.w r12, [r1, #4 * " #c "]\n"                                               \
    "str.w lr, [r1, #32 + 4 * " #c "]\n"
/* clang-format on */

/* clang-format off */
#define SQM_ASM_EIGHT(finish)                                                      \
    SQM_ASM_EVEN(16, 20) finish(0)                                                 \
    SQM_ASM_ODD(r4, r8)  finish(1)                                                 \
    SQM_ASM_EVEN(17, 21) finish(2)                                                 \
    SQM_ASM_ODD(r5, r9)  finish(3)                                                 \
    SQM_ASM_EVEN(18, 22) finish(4)                                                 \
    SQM_ASM_ODD(r6, r10) finish(5)                                                 \
    SQM_ASM_EVEN(19, 23) finish(6)                                                 \
    SQM_ASM_ODD(r7, r11) finish(7)
/* clang-format on */

/**
 * Table, behind the word that is `round`: bias, meaning of a code of 0 (of an odd channel: of v =
 * 0) and scale of channels 0 ... 7; then m and s of each. Where the zero point is -128, a channel
 * that is scaled up by 2^shift has all of the first three times 2^(shift + 1), m = 0 and s =
 * -multiplier: one rounding is left. Slots: 11, 12 the pixels' sums of taps, 13 output of the
 * second pixel, 15 entry of all rounds but the first, 16 ... 23 even channels' sums.
 */
SQM_NAKED void sqm_gemm_s8_w2_2x8__armv7em_dsp(SQM_IN_ASM const sqm_gemm *g)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_GEMM_ENTER(SQM_ENTER)
        SQM_ASM_WEIGHTS_END(5)
        SQM_ASM_CHOOSE_END
        SQM_TAKE(r11, 10)
        /* The first round takes 1 + (quads - 1) % round of the loop's eight quads, 88 bytes each;
           the others take `round`. */
        "sub.w r6, r6, #1\n"
        "udiv r5, r6, r11\n"
        "mls r5, r5, r11, r6\n"
        "rsb.w r5, r5, #7\n"
        "rsb.w r11, r11, #8\n"
        "mov.w r4, #88\n"
        "adr.w r12, 2f\n"
        "orr.w r12, r12, #1\n"
        "mla r11, r4, r11, r12\n"
        "mla r12, r4, r5, r12\n"
        SQM_PARK(15, r11)
        SQM_PARK(2, r12)
        ".balign 4\n"
        "1:\n"
        "ldmia.w r1!, {r2, r3}\n"
        SQM_PARK(11, r2)
        SQM_PARK(12, r3)
        SQM_TAKE(r0, 0)
        SQM_TAKE(r12, 2)
        "mov.w r4, #0\n"
        "mov.w r5, #0\n"
        "mov.w r6, #0\n"
        "mov.w r7, #0\n"
        "mov.w r8, #0\n"
        "mov.w r9, #0\n"
        "mov.w r10, #0\n"
        "mov.w r11, #0\n"
        SQM_PARK(16, r4)
        SQM_PARK(17, r4)
        SQM_PARK(18, r4)
        SQM_PARK(19, r4)
        SQM_PARK(20, r4)
        SQM_PARK(21, r4)
        SQM_PARK(22, r4)
        SQM_PARK(23, r4)
        "bx r12\n"
        ".balign 4\n"
        "2:\n"
        ".rept 16\n"
        "ldmia.w r1!, {r2, r3}\n"
        "ldrd r12, lr, [r0], #8\n"
        "smlad r4, r12, r2, r4\n"
        "smlad r8, r12, r3, r8\n"
        "smlad r5, lr, r2, r5\n"
        "smlad r9, lr, r3, r9\n"
        "ldrd r12, lr, [r0], #8\n"
        "smlad r6, r12, r2, r6\n"
        "smlad r10, r12, r3, r10\n"
        "smlad r7, lr, r2, r7\n"
        "smlad r11, lr, r3, r11\n"
        ".endr\n"
        SQM_ASM_TAKE_OUT(r4, 16)
        SQM_ASM_TAKE_OUT(r5, 17)
        SQM_ASM_TAKE_OUT(r6, 18)
        SQM_ASM_TAKE_OUT(r7, 19)
        SQM_ASM_TAKE_OUT(r8, 20)
        SQM_ASM_TAKE_OUT(r9, 21)
        SQM_ASM_TAKE_OUT(r10, 22)
        SQM_ASM_TAKE_OUT(r11, 23)
        SQM_TAKE(r12, 1)
        SQM_TAKE(r2, 15)
        "cmp.w r0, r12\n"
        "it ne\n"
        "bxne r2\n"
        SQM_PARK(8, r1)
        SQM_TAKE(r0, 3)
        SQM_TAKE(r1, 4)
        SQM_TAKE(r2, 6)
        "add.w r2, r1, r2\n"
        SQM_PARK(13, r2)
        SQM_TAKE(r12, 14)
        "bx r12\n"
        ".balign 4\n"
        "5:\n"
        SQM_ASM_EIGHT(SQM_ASM_LOW_CODES)
        SQM_TAKE(r0, 13)
        SQM_TAKE(r2, 6)
        "add.w r0, r0, r2\n"
        SQM_PARK(4, r0)
        SQM_ASM_NEXT_PAIR(SQM_LEAVE)
        "4:\n"
        SQM_ASM_EIGHT(SQM_ASM_HIGH_CODES)
        SQM_TAKE(r0, 13)
        SQM_TAKE(r2, 6)
        "add.w r0, r0, r2\n"
        SQM_PARK(4, r0)
        SQM_ASM_NEXT_PAIR(SQM_LEAVE)
        "3:\n"
        SQM_ASM_EIGHT(SQM_ASM_SUMS)
        SQM_LEAVE
        ::: "memory");
    /* clang-format on */
}

#undef SQM_ASM_TAKE_OUT
#undef SQM_ASM_EVEN
#undef SQM_ASM_ODD
#undef SQM_ASM_CODES
#undef SQM_ASM_HIGH_CODES
#undef SQM_ASM_LOW_CODES
#undef SQM_ASM_SUMS
#undef SQM_ASM_EIGHT

#endif
