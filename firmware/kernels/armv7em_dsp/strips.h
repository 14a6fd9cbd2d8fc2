/*
 * Rows of a depthwise convolution with any window: the inner loops, and how they get their
 * operands.
 *
 * Two neighbouring columns of a padded row are one word, the left one in the low half; a *strip* is
 * a row of a channel in such words x0, x1, ... With w0 ... w4 a row of the window, two outputs next
 * to each other take from it
 *
 *   left  = SMLAD(x0, (w0, w1)) + SMLAD(x1, (w2, w3)) + low(x2) * w4
 *   right = high(x0) * w0       + SMLAD(x1, (w1, w2)) + SMLAD(x2, (w3, w4))
 *
 * and with stride 2 the left one alone. Four outputs are computed together, so that they share the
 * loads of weights. A *line* of weights is of 3, 5 or 7 taps; a row of a window is filled up to
 * one, and a window of a single row may be several lines, the last tap of one being the first of
 * the next.
 *
 *             line of 3            5                    7               taps, for four outputs
 *   stride 1  12 instr, 17 cycles  16 instr, 24 cycles  21 instr, 32 cycles
 *   stride 2  12 instr, 19 cycles  17 instr, 26 cycles  23 instr, 34 cycles
 *   and 49 instructions, 60 cycles for what four outputs begin and end with
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_STRIPS_H
#define SQM_ARMV7EM_DSP_STRIPS_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"
#include "sqm/compiler.h"

/** Channels that are loaded together, and outputs that are computed together. */
#define SQM_STRIP_CHANNELS 4
#define SQM_STRIP_OUTPUTS  4

/** Words that a record begins with: bias, s, m. Then come the words of its lines. */
#define SQM_STRIP_HEAD_WORDS 3

/**
 * A row of outputs of some channels; the assembly knows the offsets.
 *
 * records        of the channels: the bias has the zero points folded in; s = -2^(32 + shift) and
 *                m = 2 * multiplier - 2^32 scale as sqm_scale_down does (arithmetic.h). Scaled up
 *                is a channel with m = 0, as in a band (depthwise3x3.h).
 * band           the first channel's first line of columns.
 * output         the first channel's first code.
 * outputs        of the row, at least 1.
 * lines          at least 1.
 * line_bytes     from a line of columns to the next.
 * turn           bytes from a record's first weights to those of the first line of columns.
 * zero           zero point of the output.
 * step           bytes from an output to the next.
 * channels       at least 1.
 * channel_bytes  from a channel's columns to the next channel's.
 * record_bytes   from a record to the next.
 * sums           where sums of one channel are written, four at a time; not looked at for codes.
 */
typedef struct {
    const uint32_t *records;
    const uint32_t *band;
    int8_t *output;
    int32_t outputs;
    int32_t lines;
    int32_t line_bytes;
    int32_t turn;
    int32_t zero;
    int32_t step;
    int32_t channels;
    int32_t channel_bytes;
    int32_t record_bytes;
    int32_t *sums;
} sqm_strip_row;

_Static_assert(sizeof(void *) != 4 || offsetof(sqm_strip_row, sums) == 48,
               "as the assembly has it");

/**
 * `count` words of four channels: 16 instructions for 8 numbers.
 *
 * @param[in]  even, odd  four codes of what the first word has in its low and in its high half.
 * @param[out] to         the first channel's first word.
 * @param      count      words of a channel, at least 1.
 * @param      even_step, odd_step  bytes to the next word's codes; 0 repeats what is there.
 * @param      channel_bytes        from a channel's words to the next channel's.
 */
SQM_NAKED void sqm_strip_words(SQM_IN_ASM const int8_t *even, SQM_IN_ASM const int8_t *odd,
                               SQM_IN_ASM uint32_t *to, SQM_IN_ASM int32_t count,
                               SQM_IN_ASM int32_t even_step, SQM_IN_ASM int32_t odd_step,
                               SQM_IN_ASM int32_t channel_bytes)
{
    __asm__("push.w {r4-r11}\n"
            "add.w r12, sp, #32\n"
            "ldm.w r12, {r8, r9, r10}\n"
            "lsl.w r11, r10, #1\n"
            "add.w r12, r11, r10\n"
            ".balign 4\n"
            "1:\n"
            "ldr.w r4, [r0]\n"
            "ldr.w r5, [r1]\n"
            "add.w r0, r0, r8\n"
            "add.w r1, r1, r9\n"
            "pkhbt r6, r4, r5, lsl #16\n"
            "pkhtb r7, r5, r4, asr #16\n"
            "sxtb16 r4, r6\n"
            "sxtb16 r5, r6, ror #8\n"
            "sxtb16 r6, r7\n"
            "sxtb16 r7, r7, ror #8\n"
            "str.w r5, [r2, r10]\n"
            "str.w r6, [r2, r11]\n"
            "str.w r7, [r2, r12]\n"
            "str.w r4, [r2], #4\n"
            "subs.w r3, r3, #1\n"
            "bne.w 1b\n"
            "pop.w {r4-r11}\n"
            "bx lr\n" ::
                : "memory");
}

/* clang-format off */

/* Slots: 0 bias, 1 s, 2 m, 3 zero, 4 columns of these outputs, 5 first weights, 6 behind the last,
   7 line_bytes, 8 entry, 9 output, 10 outputs left, 11 step, 12 records, 13 band, 14 outputs,
   15 first output, 16 channels left, 17 channel_bytes, 18 record_bytes, 19 turn, 20 bytes of all
   weights, 21 sums. r0 columns, r1 weights, r9 ... r12 sums of four outputs.
   Labels: 1 a channel, 2 its lines, 7 four outputs, 9 the next channel. */
#define SQM_ASM_STRIP_BEGINS(words, bytes)                                                         \
    SQM_ENTER                                                                                      \
    "ldm.w r0!, {r1-r12}\n"                                                                        \
    "ldr.w lr, [r0]\n"                                                                             \
    SQM_PARK(12, r1) SQM_PARK(13, r2) SQM_PARK(15, r3) SQM_PARK(14, r4)                            \
    SQM_PARK(7, r6) SQM_PARK(19, r7) SQM_PARK(3, r8) SQM_PARK(11, r9)                              \
    SQM_PARK(16, r10) SQM_PARK(17, r11) SQM_PARK(18, r12) SQM_PARK(21, lr)                         \
    "mov.w r0, #4 * " #words "\n"                                                                  \
    "mul r0, r0, r5\n"                                                                             \
    SQM_PARK(20, r0)                                                                               \
    /* The first round leaves out -lines % 4 of the loop's four lines. */                          \
    "rsb.w r4, r5, #0\n"                                                                           \
    "and.w r4, r4, #3\n"                                                                           \
    "mov.w r0, #" #bytes "\n"                                                                      \
    "adr.w r12, 2f\n"                                                                              \
    "mla r12, r4, r0, r12\n"                                                                       \
    "orr.w r12, r12, #1\n"                                                                         \
    SQM_PARK(8, r12)                                                                               \
    "1:\n"                                                                                         \
    SQM_TAKE(r1, 12) SQM_TAKE(r0, 13) SQM_TAKE(r3, 15) SQM_TAKE(r4, 14) SQM_TAKE(r5, 19)           \
    SQM_TAKE(r6, 20) SQM_TAKE(r7, 18)                                                              \
    "add.w r7, r1, r7\n"                                                                           \
    "ldmia.w r1!, {r8, r9, r10}\n"                                                                 \
    "add.w r1, r1, r5\n"                                                                           \
    "add.w r6, r1, r6\n"                                                                           \
    SQM_PARK(12, r7) SQM_PARK(5, r1) SQM_PARK(6, r6) SQM_PARK(0, r8) SQM_PARK(1, r9)               \
    SQM_PARK(2, r10) SQM_PARK(9, r3) SQM_PARK(10, r4)                                              \
    "7:\n"                                                                                         \
    SQM_PARK(4, r0)                                                                                \
    SQM_TAKE(r2, 8) SQM_TAKE(r1, 5) SQM_TAKE(r9, 0)                                                \
    "mov.w r10, r9\n"                                                                              \
    "mov.w r11, r9\n"                                                                              \
    "mov.w r12, r9\n"                                                                              \
    "bx r2\n"                                                                                      \
    ".balign 4\n"                                                                                  \
    "2:\n"

/* To the next line of columns. */
#define SQM_ASM_STRIP_LINE_ENDS                                                                    \
    SQM_TAKE(r2, 7)                                                                                \
    "add.w r0, r0, r2\n"

/* After the last line. */
#define SQM_ASM_STRIP_LINES_END                                                                    \
    SQM_TAKE(r2, 6)                                                                                \
    "cmp.w r1, r2\n"                                                                               \
    "bne.w 2b\n"

/* The next four outputs of the channel. */
#define SQM_ASM_STRIP_NEXT(advance)                                                                \
    SQM_TAKE(r0, 4)                                                                                \
    "add.w r0, r0, #" #advance "\n"                                                                \
    "b.w 7b\n"

#define SQM_ASM_STRIP_ENDS                                                                         \
    "9:\n"                                                                                         \
    SQM_TAKE(r2, 13) SQM_TAKE(r3, 17) SQM_TAKE(r4, 15) SQM_TAKE(r5, 16)                            \
    "add.w r2, r2, r3\n"                                                                           \
    "add.w r4, r4, #1\n"                                                                           \
    SQM_PARK(13, r2) SQM_PARK(15, r4)                                                              \
    "subs.w r5, r5, #1\n"                                                                          \
    SQM_PARK(16, r5)                                                                               \
    "bne.w 1b\n"                                                                                   \
    SQM_LEAVE

#define SQM_ASM_STRIP_PRODUCT(acc) "smmlar " #acc ", " #acc ", r2, " #acc "\n"
#define SQM_ASM_STRIP_AWAY(acc) "addmi.w " #acc ", " #acc ", " #acc ", asr #31\n"
#define SQM_ASM_STRIP_CODE(acc)                                                                    \
    "smmlsr " #acc ", " #acc ", r3, r4\n"                                                          \
    "ssat " #acc ", #8, " #acc "\n"

/* Four codes, or as many as there are outputs left; r9 ... r12 to memory. */
#define SQM_ASM_STRIP_CODES(advance)                                                               \
    SQM_TAKE(r2, 2) SQM_TAKE(r3, 1) SQM_TAKE(r4, 3)                                                \
    SQM_ASM_STRIP_PRODUCT(r9) SQM_ASM_STRIP_PRODUCT(r10)                                           \
    SQM_ASM_STRIP_PRODUCT(r11) SQM_ASM_STRIP_PRODUCT(r12)                                          \
    "cmp.n r2, #0\n"                                                                               \
    "itttt mi\n"                                                                                   \
    SQM_ASM_STRIP_AWAY(r9) SQM_ASM_STRIP_AWAY(r10)                                                 \
    SQM_ASM_STRIP_AWAY(r11) SQM_ASM_STRIP_AWAY(r12)                                                \
    SQM_ASM_STRIP_CODE(r9) SQM_ASM_STRIP_CODE(r10)                                                 \
    SQM_ASM_STRIP_CODE(r11) SQM_ASM_STRIP_CODE(r12)                                                \
    SQM_TAKE(r0, 9) SQM_TAKE(r1, 11) SQM_TAKE(r3, 10)                                              \
    "subs.w r3, r3, #4\n"                                                                          \
    "blt.w 8f\n"                                                                                   \
    "strb.w r9, [r0]\n"                                                                            \
    "strb.w r10, [r0, r1]\n"                                                                       \
    "add.w r0, r0, r1, lsl #1\n"                                                                   \
    "strb.w r11, [r0]\n"                                                                           \
    "strb.w r12, [r0, r1]\n"                                                                       \
    "beq.w 9f\n"                                                                                   \
    "add.w r0, r0, r1, lsl #1\n"                                                                   \
    SQM_PARK(9, r0) SQM_PARK(10, r3)                                                               \
    SQM_ASM_STRIP_NEXT(advance)                                                                    \
    "8:\n"                                                                                         \
    "strb.w r9, [r0]\n"                                                                            \
    "cmn.w r3, #3\n"                                                                               \
    "beq.w 9f\n"                                                                                   \
    "strb.w r10, [r0, r1]\n"                                                                       \
    "cmn.w r3, #2\n"                                                                               \
    "beq.w 9f\n"                                                                                   \
    "add.w r0, r0, r1, lsl #1\n"                                                                   \
    "strb.w r11, [r0]\n"

/* Four sums, whether there are so many outputs left or not. */
#define SQM_ASM_STRIP_SUMS(advance)                                                                \
    SQM_TAKE(r2, 21) SQM_TAKE(r3, 10)                                                              \
    "stmia.w r2!, {r9-r12}\n"                                                                      \
    SQM_PARK(21, r2)                                                                               \
    "subs.w r3, r3, #4\n"                                                                          \
    "ble.w 9f\n"                                                                                   \
    SQM_PARK(10, r3)                                                                               \
    SQM_ASM_STRIP_NEXT(advance)

/* Stride 1: (w0, w1), (w1, w2), ... are the words of a line. */
#define SQM_ASM_STRIP_FIRST(x, w01, left, right)                                                   \
    "smlad " #left ", " #x ", " #w01 ", " #left "\n"                                               \
    "smlatb " #right ", " #x ", " #w01 ", " #right "\n"
#define SQM_ASM_STRIP_INNER(x, left_w, right_w, left, right)                                       \
    "smlad " #left ", " #x ", " #left_w ", " #left "\n"                                            \
    "smlad " #right ", " #x ", " #right_w ", " #right "\n"
#define SQM_ASM_STRIP_LAST(x, w, left, right)                                                      \
    "smlabt " #left ", " #x ", " #w ", " #left "\n"                                                \
    "smlad " #right ", " #x ", " #w ", " #right "\n"

#define SQM_ASM_STRIP_LINE_1_3                                                                     \
    "ldmia.w r0, {r2, r3, r4}\n"                                                                   \
    "ldmia.w r1!, {r6, r7}\n"                                                                      \
    SQM_ASM_STRIP_FIRST(r2, r6, r9, r10) SQM_ASM_STRIP_LAST(r3, r7, r9, r10)                       \
    SQM_ASM_STRIP_FIRST(r3, r6, r11, r12) SQM_ASM_STRIP_LAST(r4, r7, r11, r12)

#define SQM_ASM_STRIP_LINE_1_5                                                                     \
    "ldmia.w r0, {r2-r5}\n"                                                                        \
    "ldmia.w r1!, {r6-r8, lr}\n"                                                                   \
    SQM_ASM_STRIP_FIRST(r2, r6, r9, r10) SQM_ASM_STRIP_INNER(r3, r8, r7, r9, r10)                  \
    SQM_ASM_STRIP_LAST(r4, lr, r9, r10)                                                            \
    SQM_ASM_STRIP_FIRST(r3, r6, r11, r12) SQM_ASM_STRIP_INNER(r4, r8, r7, r11, r12)                \
    SQM_ASM_STRIP_LAST(r5, lr, r11, r12)

#define SQM_ASM_STRIP_LINE_1_7                                                                     \
    "ldmia.w r0, {r2-r6}\n"                                                                        \
    "ldmia.w r1!, {r7, r8, lr}\n"                                                                  \
    SQM_ASM_STRIP_FIRST(r2, r7, r9, r10) SQM_ASM_STRIP_INNER(r3, lr, r8, r9, r10)                  \
    SQM_ASM_STRIP_FIRST(r3, r7, r11, r12) SQM_ASM_STRIP_INNER(r4, lr, r8, r11, r12)                \
    "ldmia.w r1!, {r7, r8, lr}\n"                                                                  \
    SQM_ASM_STRIP_INNER(r4, r8, r7, r9, r10) SQM_ASM_STRIP_LAST(r5, lr, r9, r10)                   \
    SQM_ASM_STRIP_INNER(r5, r8, r7, r11, r12) SQM_ASM_STRIP_LAST(r6, lr, r11, r12)

/* Stride 2: (w0, w1), (w2, w3), ... are the words of a line, the last (w, 0). */
#define SQM_ASM_STRIP_2(acc, x0, x1)                                                               \
    "smlad " #acc ", " #x0 ", r6, " #acc "\n"                                                      \
    "smlad " #acc ", " #x1 ", r7, " #acc "\n"
#define SQM_ASM_STRIP_3(acc, x0, x1, x2)                                                           \
    SQM_ASM_STRIP_2(acc, x0, x1)                                                                   \
    "smlad " #acc ", " #x2 ", r8, " #acc "\n"
#define SQM_ASM_STRIP_4(acc, x0, x1, x2, x3)                                                       \
    SQM_ASM_STRIP_3(acc, x0, x1, x2)                                                               \
    "smlad " #acc ", " #x3 ", lr, " #acc "\n"

#define SQM_ASM_STRIP_LINE_2_3                                                                     \
    "ldmia.w r0, {r2-r5, r8}\n"                                                                    \
    "ldmia.w r1!, {r6, r7}\n"                                                                      \
    SQM_ASM_STRIP_2(r9, r2, r3) SQM_ASM_STRIP_2(r10, r3, r4)                                       \
    SQM_ASM_STRIP_2(r11, r4, r5) SQM_ASM_STRIP_2(r12, r5, r8)

#define SQM_ASM_STRIP_LINE_2_5                                                                     \
    "ldmia.w r0, {r2-r5, lr}\n"                                                                    \
    "ldmia.w r1!, {r6-r8}\n"                                                                       \
    SQM_ASM_STRIP_3(r9, r2, r3, r4)                                                                \
    "ldr.w r2, [r0, #20]\n"                                                                        \
    SQM_ASM_STRIP_3(r10, r3, r4, r5)                                                               \
    SQM_ASM_STRIP_3(r11, r4, r5, lr) SQM_ASM_STRIP_3(r12, r5, lr, r2)

#define SQM_ASM_STRIP_LINE_2_7                                                                     \
    "ldmia.w r0, {r2-r5}\n"                                                                        \
    "ldmia.w r1!, {r6-r8, lr}\n"                                                                   \
    SQM_ASM_STRIP_4(r9, r2, r3, r4, r5)                                                            \
    "ldr.w r2, [r0, #16]\n"                                                                        \
    SQM_ASM_STRIP_4(r10, r3, r4, r5, r2)                                                           \
    "ldr.w r3, [r0, #20]\n"                                                                        \
    SQM_ASM_STRIP_4(r11, r4, r5, r2, r3)                                                           \
    "ldr.w r4, [r0, #24]\n"                                                                        \
    SQM_ASM_STRIP_4(r12, r5, r2, r3, r4)

#define SQM_DEFINE_STRIP(name, words, bytes, line, finish)                                         \
    SQM_NAKED void sqm_strip_##name(SQM_IN_ASM const sqm_strip_row *row)                           \
    {                                                                                              \
        __asm__(SQM_ASM_STRIP_BEGINS(words, bytes)                                                 \
                ".rept 4\n" line SQM_ASM_STRIP_LINE_ENDS ".endr\n"                                 \
                SQM_ASM_STRIP_LINES_END finish SQM_ASM_STRIP_ENDS ::: "memory");                   \
    }

/** sqm_strip_<stride>_<taps of a line>_<codes | sums>; words and bytes of code of a line. */
#define SQM_DEFINE_STRIPS(name, words, bytes, line, advance)                                       \
    SQM_DEFINE_STRIP(name##_codes, words, bytes, line, SQM_ASM_STRIP_CODES(advance))               \
    SQM_DEFINE_STRIP(name##_sums, words, bytes, line, SQM_ASM_STRIP_SUMS(advance))

SQM_DEFINE_STRIPS(1_3, 2, 48, SQM_ASM_STRIP_LINE_1_3, 8)
SQM_DEFINE_STRIPS(1_5, 4, 64, SQM_ASM_STRIP_LINE_1_5, 8)
SQM_DEFINE_STRIPS(1_7, 6, 84, SQM_ASM_STRIP_LINE_1_7, 8)
SQM_DEFINE_STRIPS(2_3, 2, 48, SQM_ASM_STRIP_LINE_2_3, 16)
SQM_DEFINE_STRIPS(2_5, 3, 68, SQM_ASM_STRIP_LINE_2_5, 16)
SQM_DEFINE_STRIPS(2_7, 4, 92, SQM_ASM_STRIP_LINE_2_7, 16)

/* clang-format on */

#undef SQM_DEFINE_STRIP
#undef SQM_DEFINE_STRIPS

#endif
