/*
 * Two pixels times four output channels, weights of 8 bits where they are in flash.
 *
 * A word of weights holds two channels and two taps: each half is w_even + 256 * w_odd, a signed
 * number. With x two taps of a pixel as 16-bit numbers, SMLAD by the whole word sums both channels,
 * SMLAD by its low bytes (SXTB16) the even one, and (both - even) / 256 is the odd one: modulo 2^32
 * that is exact as long as |sum of x * w_odd| < 2^23, which is checked when the code is generated.
 * So one SXTB16 decodes four weights.
 *
 * Per pair of taps: 12 instructions and 16 cycles for 16 multiplications.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GEMM_W8_H
#define SQM_ARMV7EM_DSP_GEMM_W8_H

#include "kernels/armv7em_dsp/gemm.h"

/** Table: bias of channels 0, 2, 1, 3; then m and s of 0 ... 3. Slots 11, 12: the first two. */
SQM_NAKED void sqm_gemm_s8_w8_2x4__armv7em_dsp(SQM_IN_ASM const sqm_gemm *g)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_GEMM_ENTER(SQM_ENTER_FEW)
        SQM_ASM_WEIGHTS_END(4)
        SQM_ASM_CHOOSE_END
        SQM_ASM_CHOOSE_ENTRY(96)
        "ldrd r4, r5, [r3], #8\n"
        SQM_PARK(3, r3)
        SQM_PARK(11, r4)
        SQM_PARK(12, r5)
        ".balign 4\n"
        "1:\n"
        SQM_TAKE(r12, 2)
        SQM_TAKE(r0, 0)
        SQM_TAKE(r4, 11)
        SQM_TAKE(r6, 12)
        "mov.w r5, r4\n"
        "mov.w r8, r4\n"
        "mov.w r9, r4\n"
        "mov.w r7, r6\n"
        "mov.w r10, r6\n"
        "mov.w r11, r6\n"
        "bx r12\n"
        /* r4, r5: even and both of channels 0 and 1; r6, r7: of 2 and 3; r8 ... r11: pixel 2. */
        ".balign 4\n"
        "2:\n"
        ".rept 16\n"
        "ldmia.w r1!, {r2, r3}\n"
        "ldrd r12, lr, [r0], #8\n"
        "smlad r5, r12, r2, r5\n"
        "smlad r9, r12, r3, r9\n"
        "sxtb16 r12, r12\n"
        "smlad r4, r12, r2, r4\n"
        "smlad r8, r12, r3, r8\n"
        "smlad r7, lr, r2, r7\n"
        "smlad r11, lr, r3, r11\n"
        "sxtb16 lr, lr\n"
        "smlad r6, lr, r2, r6\n"
        "smlad r10, lr, r3, r10\n"
        ".endr\n"
        SQM_TAKE(r12, 1)
        "cmp.w r0, r12\n"
        "bne.w 2b\n"
        SQM_PARK(8, r1)
        SQM_TAKE(r0, 3)
        "sub.w r5, r5, r4\n"
        "sub.w r9, r9, r8\n"
        "sub.w r7, r7, r6\n"
        "sub.w r11, r11, r10\n"
        "ldmia.w r0!, {r2, r3}\n"
        "add.w r5, r2, r5, asr #8\n"
        "add.w r9, r2, r9, asr #8\n"
        "add.w r7, r3, r7, asr #8\n"
        "add.w r11, r3, r11, asr #8\n"
        SQM_TAKE(r12, 14)
        "bx r12\n"
        SQM_ASM_FOUR_CHANNELS_END
        ::: "memory");
    /* clang-format on */
}

#endif
