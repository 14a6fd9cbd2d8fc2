/*
 * Two pixels times four output channels, weights of 4 bits where they are in flash.
 *
 * A word of weights holds four channels and two taps: each half is u0 + 16 u1 + 256 u2 + 4096 v3,
 * u unsigned, v3 signed. SMLAD by the word and by its low 12, 8 and 4 bits sums the channels 0 ...
 * 3, 0 ... 2, 0 ... 1 and 0; differences, shifted, are the others. Sums begin at the channels'
 * biases and at what codes of 0 mean times the sum of x, so that a difference is the accumulator
 * that the others' kernels have, times 16, 256 or 4096: exact modulo 2^32 as long as that of
 * channel 3 is below 2^19 (2: 2^23, 1: 2^27), which is checked when the code is generated.
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

/**
 * Table: bias and meaning of a code of 0 of all channels that a mask leaves, those of channel j
 * times 16^j: biases of the masks that leave channel 0, 0 ... 2, 0 ... 1, 0 ... 3, then meanings of
 * 0, 0 ... 1, 0 ... 2, 0 ... 3; then m and s of each channel. Slot 11: where these are.
 */
SQM_NAKED void sqm_gemm_s8_w4_2x4__armv7em_dsp(SQM_IN_ASM const sqm_gemm *g)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_GEMM_ENTER(SQM_ENTER_FEW)
        SQM_ASM_WEIGHTS_END(3)
        SQM_ASM_CHOOSE_END
        SQM_ASM_CHOOSE_ENTRY(100)
        "add.w r3, r3, #32\n"
        SQM_PARK(11, r3)
        ".balign 4\n"
        "1:\n"
        SQM_TAKE(r0, 3)
        "ldmia.w r1!, {r12, lr}\n"
        "ldm.w r0, {r2, r3, r4, r6, r8-r11}\n"
        "mla r7, r11, r12, r6\n"
        "mla r11, r11, lr, r6\n"
        "mla r6, r10, r12, r3\n"
        "mla r10, r10, lr, r3\n"
        "mla r5, r9, r12, r4\n"
        "mla r9, r9, lr, r4\n"
        "mla r4, r8, r12, r2\n"
        "mla r8, r8, lr, r2\n"
        SQM_TAKE(r0, 0)
        SQM_TAKE(r12, 2)
        "bx r12\n"
        ".balign 4\n"
        "2:\n"
        ".rept 8\n"
        "ldrd r12, lr, [r0], #8\n"
        "ldmia.w r1!, {r2, r3}\n"
        SQM_ASM_FOUR_CHANNELS(r12)
        "ldmia.w r1!, {r2, r3}\n"
        SQM_ASM_FOUR_CHANNELS(lr)
        ".endr\n"
        SQM_TAKE(r12, 1)
        "cmp.w r0, r12\n"
        "bne.w 2b\n"
        SQM_PARK(8, r1)
        SQM_TAKE(r0, 11)
        "sub.w r7, r7, r6\n"
        "sub.w r11, r11, r10\n"
        "sub.w r6, r6, r5\n"
        "sub.w r10, r10, r9\n"
        "sub.w r5, r5, r4\n"
        "sub.w r9, r9, r8\n"
        "asr.w r7, r7, #12\n"
        "asr.w r11, r11, #12\n"
        "asr.w r6, r6, #8\n"
        "asr.w r10, r10, #8\n"
        "asr.w r5, r5, #4\n"
        "asr.w r9, r9, #4\n"
        SQM_TAKE(r12, 14)
        "bx r12\n"
        SQM_ASM_FOUR_CHANNELS_END
        ::: "memory");
    /* clang-format on */
}

#undef SQM_ASM_FOUR_CHANNELS

#endif
