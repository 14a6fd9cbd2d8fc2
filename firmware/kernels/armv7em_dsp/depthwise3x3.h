/*
 * Rows of a 3x3 depthwise convolution: the inner loops, and how they get their operands.
 *
 * Two rows of the padded image, one above the other, are one word a pixel and channel: a *pair*,
 * the upper row in the low half. Pair j holds padded rows 2j and 2j + 1. Windows of stride 1 on
 * padded rows 2j and 2j + 1 need pairs j and j + 1 and nothing else:
 *
 *   upper = sum over 3 columns of  SMLAD(pair j, (w0, w1))  + low(pair j + 1) * w2
 *   lower = sum over 3 columns of  high(pair j) * w0        + SMLAD(pair j + 1, (w1, w2))
 *
 * and a window of stride 2 is the upper one. A *band* holds two pairs for four channels, for each
 * padded column 4 * (even pair, odd pair), so one LDRD brings what a column has to give. Pairs take
 * turns in it: even functions find pair j in the first word, odd ones in the second.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_DEPTHWISE3X3_H
#define SQM_ARMV7EM_DSP_DEPTHWISE3X3_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"
#include "sqm/compiler.h"

/** Channels of a band, and bytes of one of its columns. */
#define SQM_BAND_CHANNELS     4
#define SQM_BAND_COLUMN_BYTES 32

/** Words of a channel's record: bias, s, ((w0, w1), (w1, w2)) of three columns, m. */
#define SQM_BAND_RECORD_WORDS 9

/**
 * One pair of rows of up to four channels; the assembly knows the offsets.
 *
 * records   of the channels: the bias has the zero points folded in; s = -2^(32 + shift) and
 *           m = 2 * multiplier - 2^32 scale as sqm_scale_down does (arithmetic.h). Scaled up is a
 *           channel with s = -multiplier and m = 0, whose weights and bias were doubled shift + 1
 *           times: then SMMLAR leaves a sum as it is, and SMMLSR is the one rounding there is.
 * band      its first column.
 * output    the first channel's code of the first pixel of the (upper) output row.
 * width     bytes of the band from the first window to behind the last, less 8.
 * zero      zero point of the output.
 * lower     bytes from the upper output row to the lower one; 0 where there is no lower one: then
 *           its results are written first, and overwritten. Not used with stride 2.
 * back      bytes from behind the (upper) output row to the second channel's first code.
 * channels  1 ... 4.
 * steps     of sqm_band_steps.
 */
typedef struct {
    const uint32_t *records;
    const uint32_t *band;
    int8_t *output;
    int32_t width;
    int32_t zero;
    int32_t lower;
    int32_t back;
    int32_t channels;
    uint32_t steps;
} sqm_band_rows;

_Static_assert(sizeof(void *) != 4 || offsetof(sqm_band_rows, steps) == 32,
               "as the assembly has it");

/**
 * How to go through a row: one register has the loop's counter as well.
 *
 * @param count  pixels of the output's row, 1 ... 65536.
 * @param step   bytes from one to the next, at most 65535.
 */
SQM_INLINE uint32_t sqm_band_steps(int32_t count, int32_t step)
{
    return (uint32_t)(count - 1) << 16 | (uint32_t)step;
}

/**
 * `count` columns of one pair, four channels: 16 instructions for 8 numbers.
 *
 * @param[in]  upper, lower  four codes of the first column in either row, any alignment.
 * @param[out] band          where the pair begins in the first column.
 * @param      count         columns, at least 1.
 * @param      upper_step, lower_step  bytes to the next column; 0 repeats what is there.
 */
SQM_NAKED void sqm_band_pair(SQM_IN_ASM const int8_t *upper, SQM_IN_ASM const int8_t *lower,
                             SQM_IN_ASM uint32_t *band, SQM_IN_ASM int32_t count,
                             SQM_IN_ASM int32_t upper_step, SQM_IN_ASM int32_t lower_step)
{
    __asm__("push.w {r4-r9}\n"
            "ldrd r8, r9, [sp, #24]\n"
            ".balign 4\n"
            "1:\n"
            "ldr.n r4, [r0]\n"
            "ldr.n r5, [r1]\n"
            "add.n r0, r8\n"
            "add.n r1, r9\n"
            "pkhbt r6, r4, r5, lsl #16\n"
            "pkhtb r7, r5, r4, asr #16\n"
            "sxtb16 r4, r6\n"
            "sxtb16 r5, r6, ror #8\n"
            "sxtb16 r6, r7\n"
            "sxtb16 r7, r7, ror #8\n"
            "str.n r5, [r2, #8]\n"
            "str.n r6, [r2, #16]\n"
            "str.n r7, [r2, #24]\n"
            "subs.n r3, r3, #1\n"
            "str.w r4, [r2], #32\n"
            "bne.w 1b\n"
            "pop.w {r4-r9}\n"
            "bx lr\n" ::
                : "memory");
}

/**
 * Records of `count` channels out of their weights, in the layout of a band, and their table: three
 * words a channel, bias, s and m. An m above 0 says how often the weights are to be doubled.
 */
SQM_NAKED void sqm_band_records(SQM_IN_ASM const uint32_t *weights, SQM_IN_ASM const int32_t *table,
                                SQM_IN_ASM int32_t count, SQM_IN_ASM uint32_t *records)
{
    __asm__("push.w {r4-r11}\n"
            "mov.n r12, r2\n"
            "mov.n r11, r3\n"
            "1:\n"
            "ldrd r4, r5, [r0]\n"
            "ldrd r6, r7, [r0, #32]\n"
            "ldrd r8, r9, [r0, #64]\n"
            "ldmia.w r1!, {r2, r3, r10}\n"
            "cmp.w r10, #0\n"
            "bgt.n 3f\n"
            "2:\n"
            "stmia.w r11!, {r2-r10}\n"
            "adds.n r0, r0, #8\n"
            "subs.w r12, r12, #1\n"
            "bne.n 1b\n"
            "pop.w {r4-r11}\n"
            "bx lr\n"
            "3:\n"
            "sadd16 r4, r4, r4\n"
            "sadd16 r5, r5, r5\n"
            "sadd16 r6, r6, r6\n"
            "sadd16 r7, r7, r7\n"
            "sadd16 r8, r8, r8\n"
            "sadd16 r9, r9, r9\n"
            "subs.w r10, r10, #1\n"
            "bgt.n 3b\n"
            "b.n 2b\n" ::
                : "memory");
}

/* clang-format off */

/* Slots: 0 bias, 1 s, 2 zero, 3 lower, 4 steps, 5 records, 6 width, 7 back, 8 channels left,
   9 `away`. r0 band, r1 output, r2 and r3 pairs, r4 ... r9 weights, r10 m, r11 and r12 sums, lr
   steps. Labels: 1 a channel, 2 a column of windows. */
#define SQM_ASM_BAND_BEGINS(away)                                                                  \
    SQM_ENTER                                                                                      \
    "ldm.w r0, {r0-r7, lr}\n"                                                                      \
    SQM_PARK(5, r0) SQM_PARK(6, r3) SQM_PARK(2, r4)                                                \
    SQM_PARK(3, r5) SQM_PARK(7, r6) SQM_PARK(8, r7) SQM_PARK(4, lr)                                \
    "mov.w r0, r1\n"                                                                               \
    "mov.w r1, r2\n"                                                                               \
    "1:\n"                                                                                         \
    SQM_TAKE(r12, 5) SQM_TAKE(lr, 4)                                                               \
    "ldmia.w r12!, {r2-r10}\n"                                                                     \
    SQM_PARK(5, r12) SQM_PARK(0, r2) SQM_PARK(1, r3)                                               \
    away                                                                                           \
    ".balign 4\n"                                                                                  \
    "2:\n"                                                                                         \
    SQM_TAKE(r12, 0)

#define SQM_ASM_BAND_ENDS                                                                          \
    "uxtah r1, r1, lr\n"                                                                           \
    "subs.w lr, lr, #0x10000\n"                                                                    \
    "bcs.w 2b\n"                                                                                   \
    SQM_TAKE(r3, 8) SQM_TAKE(r2, 6)                                                                \
    "subs.w r3, r3, #1\n"                                                                          \
    SQM_PARK(8, r3)                                                                                \
    "sub.w r0, r0, r2\n"                                                                           \
    SQM_TAKE(r2, 7)                                                                                \
    "sub.w r1, r1, r2\n"                                                                           \
    "bne.w 1b\n"                                                                                   \
    SQM_LEAVE

/** One column of two windows, above and below each other: pair j in `a`, pair j + 1 in `b`. */
#define SQM_ASM_BAND_COLUMN(a, b, w, v, upper_from)                                                \
    "smlad r11, " #a ", " #w ", " #upper_from "\n"                                                 \
    "smlatb r12, " #a ", " #w ", r12\n"                                                            \
    "smlabt r11, " #b ", " #v ", r11\n"                                                            \
    "smlad r12, " #b ", " #v ", r12\n"

/* 15 instructions and 21 cycles for 18 multiplications. */
#define SQM_ASM_BAND_SUMS_1(a, b)                                                                  \
    "ldrd r2, r3, [r0], #32\n"                                                                     \
    SQM_ASM_BAND_COLUMN(a, b, r4, r5, r12)                                                         \
    "ldrd r2, r3, [r0]\n"                                                                          \
    SQM_ASM_BAND_COLUMN(a, b, r6, r7, r11)                                                         \
    "ldrd r2, r3, [r0, #32]\n"                                                                     \
    SQM_ASM_BAND_COLUMN(a, b, r8, r9, r11)

/* 9 instructions and 15 cycles for 9 multiplications. */
#define SQM_ASM_BAND_SUMS_2(a, b)                                                                  \
    "ldrd r2, r3, [r0], #64\n"                                                                     \
    "smlad r11, " #a ", r4, r12\n"                                                                 \
    "smlabt r11, " #b ", r5, r11\n"                                                                \
    "ldrd r2, r3, [r0, #-32]\n"                                                                    \
    "smlad r11, " #a ", r6, r11\n"                                                                 \
    "smlabt r11, " #b ", r7, r11\n"                                                                \
    "ldrd r2, r3, [r0]\n"                                                                          \
    "smlad r11, " #a ", r8, r11\n"                                                                 \
    "smlabt r11, " #b ", r9, r11\n"

#define SQM_ASM_BAND_PRODUCT(acc) "smmlar " #acc ", " #acc ", r10, " #acc "\n"
#define SQM_ASM_BAND_CODE(acc)                                                                     \
    "smmlsr " #acc ", " #acc ", r2, r3\n"                                                          \
    "ssat " #acc ", #8, " #acc "\n"

#define SQM_ASM_BAND_WRITE_1                                                                       \
    SQM_TAKE(r2, 3)                                                                                \
    "strb.w r12, [r1, r2]\n"                                                                       \
    "strb.w r11, [r1]\n"
#define SQM_ASM_BAND_WRITE_2 "strb.w r11, [r1]\n"

#define SQM_ASM_BAND_RELU_1                                                                        \
    SQM_TAKE(r2, 1) SQM_TAKE(r3, 2)                                                                \
    SQM_ASM_BAND_PRODUCT(r12) SQM_ASM_BAND_PRODUCT(r11)                                            \
    SQM_ASM_BAND_CODE(r12) SQM_ASM_BAND_CODE(r11) SQM_ASM_BAND_WRITE_1
#define SQM_ASM_BAND_RELU_2                                                                        \
    SQM_TAKE(r2, 1) SQM_TAKE(r3, 2)                                                                \
    SQM_ASM_BAND_PRODUCT(r11) SQM_ASM_BAND_CODE(r11) SQM_ASM_BAND_WRITE_2

/* A product half-way between two codes goes away from zero: SMMLA by 1 takes 1 from a negative
   one. Scaled up it is none, and `away` 0. Below the zero point, where a clamp hides it, this is
   left out. */
#define SQM_ASM_BAND_PARK_AWAY "lsr.w r12, r10, #31\n" SQM_PARK(9, r12)
#define SQM_ASM_BAND_AWAY(acc) "smmla " #acc ", " #acc ", r2, " #acc "\n"

#define SQM_ASM_BAND_ANY_1                                                                         \
    SQM_TAKE(r2, 9)                                                                                \
    SQM_ASM_BAND_PRODUCT(r12) SQM_ASM_BAND_PRODUCT(r11)                                            \
    SQM_ASM_BAND_AWAY(r12) SQM_ASM_BAND_AWAY(r11)                                                  \
    SQM_TAKE(r2, 1) SQM_TAKE(r3, 2)                                                                \
    SQM_ASM_BAND_CODE(r12) SQM_ASM_BAND_CODE(r11) SQM_ASM_BAND_WRITE_1
#define SQM_ASM_BAND_ANY_2                                                                         \
    SQM_TAKE(r2, 9)                                                                                \
    SQM_ASM_BAND_PRODUCT(r11) SQM_ASM_BAND_AWAY(r11)                                               \
    SQM_TAKE(r2, 1) SQM_TAKE(r3, 2)                                                                \
    SQM_ASM_BAND_CODE(r11) SQM_ASM_BAND_WRITE_2

#define SQM_ASM_BAND_KEEP_1                                                                        \
    SQM_TAKE(r2, 3)                                                                                \
    "str.w r12, [r1, r2]\n"                                                                        \
    "str.w r11, [r1]\n"
#define SQM_ASM_BAND_KEEP_2 "str.w r11, [r1]\n"

#define SQM_DEFINE_BAND(name, away, sums, store)                                                   \
    SQM_NAKED void sqm_band_##name(SQM_IN_ASM const sqm_band_rows *rows)                           \
    {                                                                                              \
        __asm__(SQM_ASM_BAND_BEGINS(away) sums store SQM_ASM_BAND_ENDS ::: "memory");              \
    }

/**
 * sqm_band_<stride>_<how>_<even | odd>. How sums become codes:
 *
 * relu   clamped to int8, where that begins at the zero point
 * any    clamped to int8
 * sums   not at all: int32 sums are written, `step` and `lower` bytes apart
 */
#define SQM_DEFINE_BANDS(n)                                                                        \
    SQM_DEFINE_BAND(n##_relu_even, "", SQM_ASM_BAND_SUMS_##n(r2, r3), SQM_ASM_BAND_RELU_##n)       \
    SQM_DEFINE_BAND(n##_relu_odd, "", SQM_ASM_BAND_SUMS_##n(r3, r2), SQM_ASM_BAND_RELU_##n)        \
    SQM_DEFINE_BAND(n##_any_even, SQM_ASM_BAND_PARK_AWAY, SQM_ASM_BAND_SUMS_##n(r2, r3),           \
                    SQM_ASM_BAND_ANY_##n)                                                          \
    SQM_DEFINE_BAND(n##_any_odd, SQM_ASM_BAND_PARK_AWAY, SQM_ASM_BAND_SUMS_##n(r3, r2),            \
                    SQM_ASM_BAND_ANY_##n)                                                          \
    SQM_DEFINE_BAND(n##_sums_even, "", SQM_ASM_BAND_SUMS_##n(r2, r3), SQM_ASM_BAND_KEEP_##n)       \
    SQM_DEFINE_BAND(n##_sums_odd, "", SQM_ASM_BAND_SUMS_##n(r3, r2), SQM_ASM_BAND_KEEP_##n)

SQM_DEFINE_BANDS(1)
SQM_DEFINE_BANDS(2)

/* clang-format on */

#undef SQM_DEFINE_BAND
#undef SQM_DEFINE_BANDS

#endif
