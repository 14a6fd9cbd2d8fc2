/*
 * A block of output channels times pairs of pixels: what the inner loops of all widths share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GEMM_H
#define SQM_ARMV7EM_DSP_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"

/**
 * One block of channels and some pairs of pixels; the assembly knows the offsets.
 *
 * weights      the block's words, in the kernel's layout (README.md).
 * columns      per pair of pixels quads * 4 words: taps 0 and 2 of the first pixel, of the second,
 *              taps 1 and 3 of the first, of the second; and so on. Weights of 4 and 2 bits that
 * are not unpacked to 8 want each pixel's sum of taps in front, two words more. table        the
 * block's, whose last words are two for each channel, m and s: SMMLAR(a, m, a) is the first
 * rounding of requantize.h, SMMLSR(a, s, zero point) the second. output       the block's first
 * code of the first pixel. stride       bytes from a pixel's codes to the next pixel's. quads
 * groups of four taps, at least 1. columns_end  behind the last pair of pixels. zero_point   of the
 * output. sums         NULL, or where the sums of ONE pair are written instead of codes: the
 * block's of its first pixel, then of the second. round        groups of four taps whose sums an
 * even channel's field of 14 bits holds, 5 ... 8: of weights of 2 bits alone.
 */
typedef struct sqm_gemm {
    const uint32_t *weights;
    const uint32_t *columns;
    const int32_t *table;
    int8_t *output;
    int32_t stride;
    int32_t quads;
    const uint32_t *columns_end;
    int32_t zero_point;
    int32_t *sums;
    int32_t round;
} sqm_gemm;

_Static_assert(sizeof(void *) != 4 || offsetof(sqm_gemm, round) == 36, "as the assembly has it");

/**
 * Slots of all kernels: 0 weights, 1 their end, 2 entry into the unrolled loop, 3 table, 4 output,
 * 5 zero point, 6 stride, 7 end of all columns, 8 columns of the next pair, 9 sums, 10 round (gemv:
 * taps_sum). Afterwards r1 = columns, r3 = table, r6 = quads.
 */
/* clang-format off */
#define SQM_ASM_GEMM_ENTER(enter)                                                  \
    enter                                                                          \
    "ldm.w r0, {r1-r10}\n"                                                         \
    SQM_PARK(0, r1)                                                                \
    SQM_PARK(3, r3)                                                                \
    SQM_PARK(4, r4)                                                                \
    SQM_PARK(6, r5)                                                                \
    SQM_PARK(7, r7)                                                                \
    SQM_PARK(5, r8)                                                                \
    SQM_PARK(9, r9)                                                                \
    SQM_PARK(10, r10)                                                              \
    SQM_PARK(8, r2)                                                                \
    "mov.w r1, r2\n"
/* clang-format on */

/** A pair of pixels ends where the weights do; 2^quad_shift bytes of them are four taps. Slot 1. */
/* clang-format off */
#define SQM_ASM_WEIGHTS_END(quad_shift)                                            \
    SQM_TAKE(r4, 0)                                                                \
    "add.w r4, r4, r6, lsl #" #quad_shift "\n"                                     \
    SQM_PARK(1, r4)
/* clang-format on */

/**
 * How a pair ends, decided once: at label 3 with sums, at 5 with codes if the zero point is -128,
 * else at 4. Slot 14. Halves away from zero are halves up for a zero point of -128: what is
 * negative there saturates, whichever way it is rounded.
 */
/* clang-format off */
#define SQM_ASM_CHOOSE_END                                                         \
    "adr.w r4, 4f\n"                                                               \
    "adr.w r5, 5f\n"                                                               \
    "cmn.w r8, #128\n"                                                             \
    "it eq\n"                                                                      \
    "moveq.w r4, r5\n"                                                             \
    "adr.w r5, 3f\n"                                                               \
    "cmp.w r9, #0\n"                                                               \
    "it ne\n"                                                                      \
    "movne.w r4, r5\n"                                                             \
    "orr.w r4, r4, #1\n"                                                           \
    SQM_PARK(14, r4)
/* clang-format on */

/** Where the first round enters the loop at label 2: it leaves out -quads % 8 of its eight quads of
 * `bytes` each. Slot 2. */
/* clang-format off */
#define SQM_ASM_CHOOSE_ENTRY(bytes)                                                \
    "rsb.w r4, r6, #0\n"                                                           \
    "and.w r4, r4, #7\n"                                                           \
    "mov.w r5, #" #bytes "\n"                                                      \
    "adr.w r12, 2f\n"                                                              \
    "mla r12, r4, r5, r12\n"                                                       \
    "orr.w r12, r12, #1\n"                                                         \
    SQM_PARK(2, r12)
/* clang-format on */

/** The sum in `acc` to a code: m and s of its channel and the zero point are in registers. */
#define SQM_ASM_REQUANTIZE(acc, m, s, zero)                                                        \
    "smmlar " #acc ", " #acc ", " #m ", " #acc "\n"                                                \
    "add.w " #acc ", " #acc ", " #acc ", asr #31\n"                                                \
    "smmlsr " #acc ", " #acc ", " #s ", " #zero "\n"                                               \
    "ssat " #acc ", #8, " #acc "\n"

/** The same for a zero point of -128. */
#define SQM_ASM_REQUANTIZE_LOW(acc, m, s, zero)                                                    \
    "smmlar " #acc ", " #acc ", " #m ", " #acc "\n"                                                \
    "smmlsr " #acc ", " #acc ", " #s ", " #zero "\n"                                               \
    "ssat " #acc ", #8, " #acc "\n"

/** Sums of two pixels' four channels in r4-r7, r8-r11 to memory as codes; r0 = their m and s. */
/* clang-format off */
#define SQM_ASM_FOUR_CODES(requantize)                                             \
    SQM_TAKE(r12, 5)                                                               \
    "ldmia.w r0!, {r1, r2, r3, lr}\n"                                              \
    requantize(r4, r1, r2, r12)                                                    \
    requantize(r8, r1, r2, r12)                                                    \
    requantize(r5, r3, lr, r12)                                                    \
    requantize(r9, r3, lr, r12)                                                    \
    "ldmia.w r0!, {r1, r2, r3, lr}\n"                                              \
    requantize(r6, r1, r2, r12)                                                    \
    requantize(r10, r1, r2, r12)                                                   \
    requantize(r7, r3, lr, r12)                                                    \
    requantize(r11, r3, lr, r12)                                                   \
    SQM_TAKE(r0, 4)                                                                \
    SQM_TAKE(r2, 6)                                                                \
    "strb.w r4, [r0]\n"                                                            \
    "strb.w r5, [r0, #1]\n"                                                        \
    "strb.w r6, [r0, #2]\n"                                                        \
    "strb.w r7, [r0, #3]\n"                                                        \
    "add.w r0, r0, r2\n"                                                           \
    "strb.w r8, [r0]\n"                                                            \
    "strb.w r9, [r0, #1]\n"                                                        \
    "strb.w r10, [r0, #2]\n"                                                       \
    "strb.w r11, [r0, #3]\n"                                                       \
    "add.w r0, r0, r2\n"                                                           \
    SQM_PARK(4, r0)
/* clang-format on */

/** The next pair of pixels, from label 1 on, or the end. */
/* clang-format off */
#define SQM_ASM_NEXT_PAIR(leave)                                                   \
    SQM_TAKE(r1, 8)                                                                \
    SQM_TAKE(r2, 7)                                                                \
    "cmp.w r1, r2\n"                                                               \
    "bne.w 1b\n"                                                                   \
    leave
/* clang-format on */

/** The ends that SQM_ASM_CHOOSE_END chooses from, for blocks of four channels. */
/* clang-format off */
#define SQM_ASM_FOUR_CHANNELS_END                                                  \
    ".balign 4\n"                                                                  \
    "5:\n"                                                                         \
    SQM_ASM_FOUR_CODES(SQM_ASM_REQUANTIZE_LOW)                                     \
    SQM_ASM_NEXT_PAIR(SQM_LEAVE_FEW)                                                           \
    "4:\n"                                                                         \
    SQM_ASM_FOUR_CODES(SQM_ASM_REQUANTIZE)                                         \
    SQM_ASM_NEXT_PAIR(SQM_LEAVE_FEW)                                                           \
    "3:\n"                                                                         \
    SQM_TAKE(r2, 9)                                                                \
    "stm.w r2, {r4-r11}\n"                                                         \
    SQM_LEAVE_FEW
/* clang-format on */

#endif
