/*
 * A column times blocks of four output channels of weights in two planes: 6, 5 and 3 bits. Codes
 * are put together word by word, two channels and two taps each, as u_even + 256 * u_odd, and are
 * used as weights of 8 bits are; what a code of 0 means, times the sum of the column, comes last.
 *
 *             instructions   cycles
 *   6 bits    59             73        per 32 multiplications
 *   5 bits    58             71
 *   3 bits    56             67
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GEMV_PLANES_H
#define SQM_ARMV7EM_DSP_GEMV_PLANES_H

#include "kernels/armv7em_dsp/gemv.h"

/* clang-format off */

/** One word of codes from the low plane in r9, moved by `fine`, and the high plane's `mask` of r8,
 * moved by `coarse`; lr = the low plane's mask. */
#define SQM_ASM_CODES_TIMES(fine, mask, coarse, x, even, both)                                     \
    "and.w r10, lr, r9" fine "\n"                                                                  \
    "and.w r11, r8, #" #mask "\n"                                                                  \
    "orr.w r10, r10, r11, " coarse "\n"                                                            \
    "smlad " #both ", r10, " #x ", " #both "\n"                                                    \
    "uxtb16 r10, r10\n"                                                                            \
    "smlad " #even ", r10, " #x ", " #even "\n"

/** Words of channels 0 and 1, and of 2 and 3, out of two neighbouring fields of the high plane. */
#define SQM_ASM_CODES_OF_FOUR(fine0, fine1, mask0, mask1, coarse0, coarse1, x)                     \
    SQM_ASM_CODES_TIMES(fine0, mask0, coarse0, x, r4, r5)                                          \
    SQM_ASM_CODES_TIMES(fine1, mask1, coarse1, x, r6, r7)

#define SQM_ASM_COARSE "ldr.w r8, [r0], #4\n"
#define SQM_ASM_FINE   "ldr.w r9, [r12], #4\n"
#define SQM_ASM_TAPS   "ldmia.w r1!, {r2, r3}\n"

/* Eight taps. */
#define SQM_ASM_PLANES_6                                                                           \
    ".rept 2\n"                                                                                    \
    SQM_ASM_TAPS SQM_ASM_FINE SQM_ASM_COARSE                                                       \
    SQM_ASM_CODES_OF_FOUR("", ", lsr #2", 0x0F0F0F0F, 0xF0F0F0F0, "lsl #2", "lsr #2", r2)          \
    SQM_ASM_COARSE                                                                                 \
    SQM_ASM_CODES_OF_FOUR(", lsr #4", ", lsr #6", 0x0F0F0F0F, 0xF0F0F0F0, "lsl #2", "lsr #2", r3)  \
    ".endr\n"

#define SQM_ASM_PLANES_5                                                                           \
    SQM_ASM_TAPS SQM_ASM_FINE SQM_ASM_COARSE                                                       \
    SQM_ASM_CODES_OF_FOUR("", ", lsr #1", 0x0F0F0F0F, 0xF0F0F0F0, "lsl #1", "lsr #3", r2)          \
    SQM_ASM_COARSE                                                                                 \
    SQM_ASM_CODES_OF_FOUR(", lsr #2", ", lsr #3", 0x0F0F0F0F, 0xF0F0F0F0, "lsl #1", "lsr #3", r3)  \
    SQM_ASM_TAPS SQM_ASM_COARSE                                                                    \
    SQM_ASM_CODES_OF_FOUR(", lsr #4", ", lsr #5", 0x0F0F0F0F, 0xF0F0F0F0, "lsl #1", "lsr #3", r2)  \
    SQM_ASM_COARSE                                                                                 \
    SQM_ASM_CODES_OF_FOUR(", lsr #6", ", lsr #7", 0x0F0F0F0F, 0xF0F0F0F0, "lsl #1", "lsr #3", r3)

#define SQM_ASM_PLANES_3                                                                           \
    SQM_ASM_TAPS SQM_ASM_FINE SQM_ASM_COARSE                                                       \
    SQM_ASM_CODES_OF_FOUR("", ", lsr #1", 0x03030303, 0x0C0C0C0C, "lsl #1", "lsr #1", r2)          \
    SQM_ASM_CODES_OF_FOUR(", lsr #2", ", lsr #3", 0x30303030, 0xC0C0C0C0, "lsr #3", "lsr #5", r3)  \
    SQM_ASM_TAPS SQM_ASM_COARSE                                                                    \
    SQM_ASM_CODES_OF_FOUR(", lsr #4", ", lsr #5", 0x03030303, 0x0C0C0C0C, "lsl #1", "lsr #1", r2)  \
    SQM_ASM_CODES_OF_FOUR(", lsr #6", ", lsr #7", 0x30303030, 0xC0C0C0C0, "lsr #3", "lsr #5", r3)

/** What codes of 0 mean in two channels: its share of their sums. lr = the column's sum. */
#define SQM_ASM_CODES_MEAN(meaning, even, both)                                                    \
    "sxth.w r8, " #meaning "\n"                                                                    \
    "mla " #both ", r8, lr, " #both "\n"                                                           \
    "sxtb.w r8, " #meaning "\n"                                                                    \
    "mla " #even ", r8, lr, " #even "\n"

/* Slots: 11 the column, 12 bytes of a block's high plane, 13 meaning. */
#define SQM_DEFINE_GEMV_PLANES(wgt, quad_shift, mask, eight_taps)                                  \
    SQM_NAKED void sqm_gemv_s8_##wgt##_1x4__armv7em_dsp(SQM_IN_ASM const sqm_gemv *g)              \
    {                                                                                              \
        __asm__(                                                                                   \
            "ldr.w r12, [r0, #44]\n"                                                               \
            SQM_ASM_GEMM_ENTER(SQM_ENTER_FEW)                                                      \
            SQM_ASM_CHOOSE_END                                                                     \
            SQM_PARK(11, r1)                                                                       \
            SQM_PARK(13, r12)                                                                      \
            "lsl.w r6, r6, #" #quad_shift "\n"                                                     \
            SQM_PARK(12, r6)                                                                       \
            ".balign 4\n"                                                                          \
            "1:\n"                                                                                 \
            SQM_TAKE(r0, 3)                                                                        \
            SQM_TAKE(r1, 11)                                                                       \
            "ldrd r4, r6, [r0]\n"                                                                  \
            SQM_TAKE(r0, 0)                                                                        \
            SQM_TAKE(r12, 12)                                                                      \
            "mov.w lr, #" #mask "\n"                                                               \
            "add.w r12, r0, r12\n"                                                                 \
            "mov.w r5, r4\n"                                                                       \
            "mov.w r7, r6\n"                                                                       \
            ".balign 4\n"                                                                          \
            "2:\n"                                                                                 \
            eight_taps                                                                             \
            SQM_TAKE(r8, 7)                                                                        \
            "cmp.w r1, r8\n"                                                                       \
            "bne.w 2b\n"                                                                           \
            SQM_PARK(0, r12)                                                                       \
            SQM_TAKE(r12, 13)                                                                      \
            SQM_TAKE(lr, 10)                                                                       \
            "ldrd r2, r3, [r12], #8\n"                                                             \
            SQM_PARK(13, r12)                                                                      \
            SQM_ASM_CODES_MEAN(r2, r4, r5)                                                         \
            SQM_ASM_CODES_MEAN(r3, r6, r7)                                                         \
            SQM_ASM_PAIRS_END                                                                      \
            ::: "memory");                                                                         \
    }

SQM_DEFINE_GEMV_PLANES(w6, 3, 0x03030303, SQM_ASM_PLANES_6)
SQM_DEFINE_GEMV_PLANES(w5, 3, 0x01010101, SQM_ASM_PLANES_5)
SQM_DEFINE_GEMV_PLANES(w3, 2, 0x01010101, SQM_ASM_PLANES_3)

/* clang-format on */

#undef SQM_ASM_CODES_TIMES
#undef SQM_ASM_CODES_OF_FOUR
#undef SQM_ASM_COARSE
#undef SQM_ASM_FINE
#undef SQM_ASM_TAPS
#undef SQM_ASM_CODES_MEAN
#undef SQM_DEFINE_GEMV_PLANES

#endif
