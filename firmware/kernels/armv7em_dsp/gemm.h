/*
 * Four output channels times pairs of pixels: the inner loops of conv2d.
 *
 * A word of weights holds two channels and two taps: each half is w_even + 256 * w_odd, a signed
 * number. With x two taps of a pixel as 16-bit numbers, SMLAD by the whole word sums both channels,
 * SMLAD by its low bytes (SXTB16) the even one, and (both - even) / 256 is the odd one: modulo 2^32
 * that is exact as long as |sum of x * w_odd| < 2^23, which is checked when the code is generated.
 * So one SXTB16 decodes four weights, and nothing is written to memory.
 *
 * Per pair of taps: 12 instructions and 16 cycles for 16 multiplications.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GEMM_H
#define SQM_ARMV7EM_DSP_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"
#include "sqm/compiler.h"

/** Channels of a block, and pixels that share the loads of its weights. */
#define SQM_GEMM_CHANNELS 4
#define SQM_GEMM_PIXELS   2

/** Words of a block's table: bias 0, bias 2, then (m, s) 0, (bias, m, s) 1, (m, s) 2, (bias, m,
 * s) 3. */
#define SQM_GEMM_TABLE_WORDS 12

/**
 * One block of channels and some pairs of pixels; the assembly knows the offsets.
 *
 * weights     quads * 4 words, in layout lanes (README.md).
 * columns     per pair of pixels quads * 4 words: taps 0 and 2 of the first pixel, of the second,
 *             taps 1 and 3 of the first, of the second; and so on.
 * table       SQM_GEMM_TABLE_WORDS of the block.
 * output      the block's first code of the first pixel.
 * stride      bytes from a pixel's codes to the next pixel's.
 * quads       groups of four taps, at least 1.
 * columns_end behind the last pair of pixels.
 * zero_point  of the output.
 * sums        NULL, or where the sums of ONE pair are written instead of codes: four of its first
 *             pixel, four of the second.
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
} sqm_gemm;

_Static_assert(sizeof(void *) != 4 || offsetof(sqm_gemm, sums) == 32, "as the assembly has it");

/** The sum in `acc` to a code: r2 = m, r3 = s of its channel, r12 = zero point (requantize.h). */
#define SQM_ASM_REQUANTIZE(acc)                                                                    \
    "smmlar " #acc ", " #acc ", r2, " #acc "\n"                                                    \
    "add.w " #acc ", " #acc ", " #acc ", asr #31\n"                                                \
    "smmlar " #acc ", " #acc ", r3, r12\n"                                                         \
    "ssat " #acc ", #8, " #acc "\n"

/** Sums in r4 ... r11 (even and both of channels 0, 1; of 2, 3; the same of the second pixel). */
#define SQM_ASM_PAIR_OF_TAPS                                                                       \
    "ldmia.w r1!, {r2, r3}\n"                                                                      \
    "ldrd r12, lr, [r0], #8\n"                                                                     \
    "smlad r5, r12, r2, r5\n"                                                                      \
    "smlad r9, r12, r3, r9\n"                                                                      \
    "sxtb16 r12, r12\n"                                                                            \
    "smlad r4, r12, r2, r4\n"                                                                      \
    "smlad r8, r12, r3, r8\n"                                                                      \
    "smlad r7, lr, r2, r7\n"                                                                       \
    "smlad r11, lr, r3, r11\n"                                                                     \
    "sxtb16 lr, lr\n"                                                                              \
    "smlad r6, lr, r2, r6\n"                                                                       \
    "smlad r10, lr, r3, r10\n"

/**
 * Slots: 0 weights, 1 end of this pair's column, 2 entry into the unrolled loop, 3 table + 8,
 * 4 output, 5 zero point, 6 stride, 7 end of all columns, 8 bytes of a column, 9 sums.
 */
SQM_NAKED void sqm_gemm_s8_w8_2x4__armv7em_dsp(SQM_IN_ASM const sqm_gemm *g)
{
    __asm__(
        SQM_ENTER
        "ldm.w r0, {r1-r9}\n" /* weights, columns, table, output, stride, quads, end, zero, sums */
        SQM_PARK(0, r1) "add.w r3, r3, #8\n" SQM_PARK(3, r3) SQM_PARK(4, r4) SQM_PARK(6, r5)
            SQM_PARK(7, r7) SQM_PARK(5, r8) SQM_PARK(9, r9)
        /* The first round of the loop leaves out -quads % 4 of its four quads, 96 bytes each. */
        "rsb.w r4, r6, #0\n"
        "and.w r4, r4, #3\n"
        "mov.w r5, #96\n"
        "adr.w r12, 2f\n"
        "mla r12, r4, r5, r12\n"
        "orr.w r12, r12, #1\n" SQM_PARK(2, r12) "lsl.w r6, r6, #4\n" SQM_PARK(
            8, r6) "mov.w r1, r2\n"

                   ".balign 4\n"
                   "1:\n" SQM_TAKE(r0, 3) SQM_TAKE(
                       r2, 8) "ldrd r4, r6, [r0, #-8]\n"
                              "add.w r12, r1, r2\n" SQM_PARK(1, r12) SQM_TAKE(r0, 0)
                                  SQM_TAKE(r12, 2) "mov.w r5, r4\n"
                                                   "mov.w r8, r4\n"
                                                   "mov.w r9, r4\n"
                                                   "mov.w r7, r6\n"
                                                   "mov.w r10, r6\n"
                                                   "mov.w r11, r6\n"
                                                   "bx r12\n"

                                                   ".balign 4\n"
                                                   "2:\n"
                                                   ".rept 8\n" SQM_ASM_PAIR_OF_TAPS
                                                   ".endr\n" SQM_TAKE(r12, 1) "cmp.w r1, r12\n"
                                                                              "bne.w 2b\n"

        SQM_PARK(1, r1) SQM_TAKE(r0, 3) SQM_TAKE(
            r12,
            5) "sub.w r5, r5, r4\n"
               "sub.w r9, r9, r8\n"
               "sub.w r7, r7, r6\n"
               "sub.w r11, r11, r10\n" SQM_TAKE(
                   r1,
                   9) "cmp.w r1, #0\n"
                      "bne.w 3f\n"
                      "ldrd r2, r3, [r0], #8\n" SQM_ASM_REQUANTIZE(r4) SQM_ASM_REQUANTIZE(
                          r8) "ldmia.w r0!, {r1, r2, r3}\n"
                              "add.w r5, r1, r5, asr #8\n"
                              "add.w r9, r1, r9, asr #8\n" SQM_ASM_REQUANTIZE(r5)
                                  SQM_ASM_REQUANTIZE(
                                      r9) "ldrd r2, r3, [r0], #8\n" SQM_ASM_REQUANTIZE(r6)
                                      SQM_ASM_REQUANTIZE(
                                          r10) "ldmia.w r0!, {r1, r2, r3}\n"
                                               "add.w r7, r1, r7, asr #8\n"
                                               "add.w r11, r1, r11, asr #8\n" SQM_ASM_REQUANTIZE(r7)
                                                   SQM_ASM_REQUANTIZE(r11) SQM_TAKE(r0, 4) SQM_TAKE(
                                                       r2,
                                                       6) "strb.w r4, [r0]\n"
                                                          "strb.w r5, [r0, #1]\n"
                                                          "strb.w r6, [r0, #2]\n"
                                                          "strb.w r7, [r0, #3]\n"
                                                          "add.w r0, r0, r2\n"
                                                          "strb.w r8, [r0]\n"
                                                          "strb.w r9, [r0, #1]\n"
                                                          "strb.w r10, [r0, #2]\n"
                                                          "strb.w r11, [r0, #3]\n"
                                                          "add.w r0, r0, r2\n" SQM_PARK(4, r0)
                                                              SQM_TAKE(r1, 1) SQM_TAKE(
                                                                  r2,
                                                                  7) "cmp.w r1, r2\n"
                                                                     "bne.w 1b\n" SQM_LEAVE

                                                                     "3:\n" /* the sums themselves
                                                                             */
                                                                     "ldr.w r2, [r0, #8]\n"
                                                                     "ldr.w r3, [r0, #28]\n"
                                                                     "add.w r5, r2, r5, asr #8\n"
                                                                     "add.w r9, r2, r9, asr #8\n"
                                                                     "add.w r7, r3, r7, asr #8\n"
                                                                     "add.w r11, r3, r11, asr #8\n"
                                                                     "stm.w r1, "
                                                                     "{r4-r11}\n" SQM_LEAVE ::
                                                                         : "memory");
}

#endif
