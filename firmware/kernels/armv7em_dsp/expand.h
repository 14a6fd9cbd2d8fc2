/*
 * Rows of an image to columns: the taps of two windows as 16-bit numbers, side by side, in the
 * order in which the inner loops read them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_EXPAND_H
#define SQM_ARMV7EM_DSP_EXPAND_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"

/**
 * Pairs of windows whose taps lie in rows of an image; the assembly knows the offsets.
 *
 * columns  of the first pair. Four taps of two windows are four words: taps 0 and 2 of the first
 *          window, of the second, taps 1 and 3 of the first, of the second.
 * first    the first pair's first window,
 * second   and its second.
 * run      bytes of a row.
 * rows     at least 1.
 * skip     bytes from the end of a row to the start of the next. What it is makes no difference to
 *          a single row, nor `next` to a single pair.
 * pairs    at least 1.
 * next     bytes from where a row behind the last would start to the next pair's windows.
 * sums     two words right in front of columns, to which the first pair's windows add their sums
 *          of taps; further pairs have theirs in front too. Functions that do not sum do not look.
 */
typedef struct sqm_expansion {
    uint32_t *columns;
    const int8_t *first;
    const int8_t *second;
    int32_t run;
    int32_t rows;
    int32_t skip;
    int32_t pairs;
    int32_t next;
    int32_t *sums;
} sqm_expansion;

_Static_assert(sizeof(void *) != 4 || offsetof(sqm_expansion, sums) == 32,
               "as the assembly has it");

/** Returns what is behind the columns; where it sums, behind two words more. */
typedef uint32_t *sqm_expand_block(const sqm_expansion *e);

/* clang-format off */

/** Four taps of each window from r8, r9; r0 = columns. */
#define SQM_ASM_EXPAND_FOUR                                                        \
    "sxtb16 r4, r8\n"                                                              \
    "sxtb16 r5, r9\n"                                                              \
    "sxtb16 r6, r8, ror #8\n"                                                      \
    "sxtb16 r7, r9, ror #8\n"                                                      \
    SQM_ASM_EXPAND_PUT

/** The same, and to the sums r10, r11; r3 = 0x00010001. */
#define SQM_ASM_EXPAND_FOUR_AND_SUM                                                \
    SQM_ASM_EXPAND_FOUR                                                            \
    SQM_ASM_EXPAND_SUM

/** Words of four taps to columns; and to the sums. */
#define SQM_ASM_EXPAND_PUT "stmia.w r0!, {r4-r7}\n"
#define SQM_ASM_EXPAND_PUT_AND_SUM                                                 \
    SQM_ASM_EXPAND_PUT                                                             \
    SQM_ASM_EXPAND_SUM
#define SQM_ASM_EXPAND_SUM                                                         \
    "smlad r10, r4, r3, r10\n"                                                     \
    "smlad r11, r5, r3, r11\n"                                                     \
    "smlad r10, r6, r3, r10\n"                                                     \
    "smlad r11, r7, r3, r11\n"

/** Slots: 0 pairs, 1 next, 2 rows, 3 skip, 4 sums, 5 run, 6 rows left, 7 free. */
#define SQM_ASM_EXPAND_ENTER                                                       \
    "ldr.w r12, [r0, #32]\n"                                                       \
    SQM_ENTER_FEW                                                                  \
    "ldm.w r0, {r0-r7}\n"                                                          \
    SQM_PARK(0, r6)                                                                \
    SQM_PARK(1, r7)                                                                \
    SQM_PARK(2, r4)                                                                \
    SQM_PARK(3, r5)                                                                \
    SQM_PARK(4, r12)                                                               \
    SQM_PARK(5, r3)

/** Both windows forward by the bytes in a slot. */
#define SQM_ASM_EXPAND_MOVE(slot)                                                  \
    SQM_TAKE(r12, slot)                                                            \
    "add.w r1, r1, r12\n"                                                          \
    "add.w r2, r2, r12\n"

/** The next pair, from label 0 on, or the end. */
#define SQM_ASM_EXPAND_NEXT_PAIR                                                   \
    SQM_ASM_EXPAND_MOVE(1)                                                         \
    SQM_TAKE(r12, 0)                                                               \
    "subs.w r12, r12, #1\n"                                                        \
    SQM_PARK(0, r12)                                                               \
    "bne.w 0b\n"                                                                   \
    SQM_LEAVE_FEW

/** Sums to r10 and r11, and back; then those of the next pair. */
#define SQM_ASM_EXPAND_TAKE_SUMS                                                   \
    SQM_TAKE(r12, 4)                                                               \
    "ldrd r10, r11, [r12]\n"
#define SQM_ASM_EXPAND_PARK_SUMS                                                   \
    SQM_TAKE(r12, 4)                                                               \
    "strd r10, r11, [r12]\n"                                                       \
    SQM_PARK(4, r0)                                                                \
    "add.w r0, r0, #8\n"                                                           \
    "mov.w r10, #0\n"                                                              \
    "mov.w r11, #0\n"

/** A row's bytes; runs are multiples of 4. */
#define SQM_ASM_EXPAND_LOAD                                                        \
    "ldr.w r8, [r1], #4\n"                                                         \
    "ldr.w r9, [r2], #4\n"

/* clang-format on */

/** Runs are multiples of 4, not 0. 7 instructions and 13 cycles for four taps of two windows. */
SQM_NAKED uint32_t *sqm_expand(SQM_IN_ASM const sqm_expansion *e)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_EXPAND_ENTER
        /* The first round leaves out -run / 4 % 4 of the loop's four steps, 28 bytes each. */
        "rsb.w r12, r3, #0\n"
        "and.w r12, r12, #12\n"
        "rsb.w r12, r12, r12, lsl #3\n"
        "adr.w lr, 2f\n"
        "add.w lr, lr, r12\n"
        "orr.w lr, lr, #1\n"
        "0:\n"
        SQM_TAKE(r10, 2)
        "1:\n"
        "add.w r12, r1, r3\n"
        "bx lr\n"
        ".balign 4\n"
        "2:\n"
        ".rept 4\n"
        SQM_ASM_EXPAND_LOAD
        SQM_ASM_EXPAND_FOUR
        ".endr\n"
        "cmp.w r1, r12\n"
        "bne.w 2b\n"
        SQM_ASM_EXPAND_MOVE(3)
        "subs.w r10, r10, #1\n"
        "bne.w 1b\n"
        SQM_ASM_EXPAND_NEXT_PAIR
        ::: "memory");
    /* clang-format on */
}

/** The same with sums: 11 instructions and 17 cycles. */
SQM_NAKED uint32_t *sqm_expand_and_sum(SQM_IN_ASM const sqm_expansion *e)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_EXPAND_ENTER
        /* The first round leaves out -run / 4 % 4 of the loop's four steps, 44 bytes each. */
        "rsb.w r12, r3, #0\n"
        "and.w r12, r12, #12\n"
        "mov.w r4, #11\n"
        "adr.w lr, 2f\n"
        "mla lr, r12, r4, lr\n"
        "orr.w lr, lr, #1\n"
        "mov.w r3, #0x00010001\n"
        SQM_ASM_EXPAND_TAKE_SUMS
        "0:\n"
        SQM_TAKE(r12, 2)
        SQM_PARK(6, r12)
        "1:\n"
        SQM_TAKE(r12, 5)
        "add.w r12, r1, r12\n"
        "bx lr\n"
        ".balign 4\n"
        "2:\n"
        ".rept 4\n"
        SQM_ASM_EXPAND_LOAD
        SQM_ASM_EXPAND_FOUR_AND_SUM
        ".endr\n"
        "cmp.w r1, r12\n"
        "bne.w 2b\n"
        SQM_ASM_EXPAND_MOVE(3)
        SQM_TAKE(r12, 6)
        "subs.w r12, r12, #1\n"
        SQM_PARK(6, r12)
        "bne.w 1b\n"
        SQM_ASM_EXPAND_PARK_SUMS
        SQM_ASM_EXPAND_NEXT_PAIR
        ::: "memory");
    /* clang-format on */
}

/**
 * Three rows of nine bytes, a 0 behind them: 3x3 windows of images with three channels. Words go
 * across rows, so what a row ends with goes to the low bytes of the next row's first word, whose
 * load begins before the row. 63 instructions and 100 cycles a pair; with sums 91 and 128.
 */
/* clang-format off */
#define SQM_ASM_EXPAND_NINES(four)                                                 \
    "ldr.w r8, [r1]\n"                                                             \
    "ldr.w r9, [r2]\n"                                                             \
    four                                                                           \
    "ldr.w r8, [r1, #4]\n"                                                         \
    "ldr.w r9, [r2, #4]\n"                                                         \
    four                                                                           \
    "ldrb.w r12, [r1, #8]\n"                                                       \
    "ldrb.w r7, [r2, #8]\n"                                                        \
    "add.w r1, r1, lr\n"                                                           \
    "add.w r2, r2, lr\n"                                                           \
    "ldr r8, [r1, #-1]\n"                                                        \
    "ldr r9, [r2, #-1]\n"                                                        \
    "bfi r8, r12, #0, #8\n"                                                        \
    "bfi r9, r7, #0, #8\n"                                                         \
    four                                                                           \
    "ldr.w r8, [r1, #3]\n"                                                         \
    "ldr.w r9, [r2, #3]\n"                                                         \
    four                                                                           \
    "ldrh.w r12, [r1, #7]\n"                                                       \
    "ldrh.w r7, [r2, #7]\n"                                                        \
    "add.w r1, r1, lr\n"                                                           \
    "add.w r2, r2, lr\n"                                                           \
    "ldr r8, [r1, #-2]\n"                                                        \
    "ldr r9, [r2, #-2]\n"                                                        \
    "bfi r8, r12, #0, #16\n"                                                       \
    "bfi r9, r7, #0, #16\n"                                                        \
    four                                                                           \
    "ldr.w r8, [r1, #2]\n"                                                         \
    "ldr.w r9, [r2, #2]\n"                                                         \
    four                                                                           \
    "ldr.w r8, [r1, #5]\n"                                                         \
    "ldr.w r9, [r2, #5]\n"                                                         \
    "lsr.w r8, r8, #8\n"                                                           \
    "lsr.w r9, r9, #8\n"                                                           \
    four                                                                           \
    "add.w r1, r1, lr\n"                                                           \
    "add.w r2, r2, lr\n"
/* clang-format on */

SQM_NAKED uint32_t *sqm_expand_nines(SQM_IN_ASM const sqm_expansion *e)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_EXPAND_ENTER
        "add.w lr, r3, r5\n"
        ".balign 4\n"
        "0:\n"
        SQM_ASM_EXPAND_NINES(SQM_ASM_EXPAND_FOUR)
        SQM_ASM_EXPAND_NEXT_PAIR
        ::: "memory");
    /* clang-format on */
}

SQM_NAKED uint32_t *sqm_expand_nines_and_sum(SQM_IN_ASM const sqm_expansion *e)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_EXPAND_ENTER
        "add.w lr, r3, r5\n"
        "mov.w r3, #0x00010001\n"
        SQM_ASM_EXPAND_TAKE_SUMS
        ".balign 4\n"
        "0:\n"
        SQM_ASM_EXPAND_NINES(SQM_ASM_EXPAND_FOUR_AND_SUM)
        SQM_ASM_EXPAND_PARK_SUMS
        SQM_ASM_EXPAND_NEXT_PAIR
        ::: "memory");
    /* clang-format on */
}

/**
 * Three rows of three bytes, and zeros: 3x3 windows of images with one channel. A row's load takes
 * a byte more, behind it; that of the last row in front of it, so that nothing behind the image is
 * read. 41 instructions and 57 cycles a pair; with sums 53 and
 * 69.
 *
 * r8, r9: rows 0, then rows 1, then rows 2. r12: from row 0 to the byte before row 2.
 */
/* clang-format off */
#define SQM_ASM_EXPAND_THREES(put)                                                 \
    "ldr.w r4, [r1]\n"                                                             \
    "ldr.w r5, [r2]\n"                                                             \
    "ldr.w r8, [r1, lr]\n"                                                         \
    "ldr.w r9, [r2, lr]\n"                                                         \
    "sxtb16 r6, r4, ror #8\n"                                                      \
    "sxtb16 r7, r5, ror #8\n"                                                      \
    "sxtb16 r4, r4\n"                                                              \
    "sxtb16 r5, r5\n"                                                              \
    "sxtb16 r12, r8\n"                                                             \
    "pkhbt r6, r6, r12, lsl #16\n"                                                 \
    "sxtb16 r12, r9\n"                                                             \
    "pkhbt r7, r7, r12, lsl #16\n"                                                 \
    put                                                                            \
    SQM_TAKE(r12, 7)                                                               \
    "ldr.w r6, [r1, r12]\n"                                                        \
    "ldr.w r7, [r2, r12]\n"                                                        \
    "sxtb16 r12, r8\n"                                                             \
    "sxtb16 r4, r8, ror #8\n"                                                      \
    "sxtb16 r8, r6, ror #8\n"                                                      \
    "sxtb16 r6, r6\n"                                                              \
    "pkhbt r4, r4, r8, lsl #16\n"                                                  \
    "pkhtb r6, r6, r12, asr #16\n"                                                 \
    "sxtb16 r12, r9\n"                                                             \
    "sxtb16 r5, r9, ror #8\n"                                                      \
    "sxtb16 r9, r7, ror #8\n"                                                      \
    "sxtb16 r7, r7\n"                                                              \
    "pkhbt r5, r5, r9, lsl #16\n"                                                  \
    "pkhtb r7, r7, r12, asr #16\n"                                                 \
    put                                                                            \
    "lsr.w r4, r8, #16\n"                                                          \
    "lsr.w r5, r9, #16\n"                                                          \
    "mov.w r6, #0\n"                                                               \
    "mov.w r7, #0\n"                                                               \
    put
#define SQM_ASM_EXPAND_THREES_ENTER                                                \
    SQM_ASM_EXPAND_ENTER                                                           \
    "add.w lr, r3, r5\n"                                                           \
    "add.w r12, lr, lr\n"                                                          \
    "add.w r7, r7, r12\n"                                                          \
    "add.w r7, r7, lr\n"                                                           \
    SQM_PARK(1, r7)                                                                \
    "sub.w r12, r12, #1\n"                                                         \
    SQM_PARK(7, r12)
/* clang-format on */

SQM_NAKED uint32_t *sqm_expand_threes(SQM_IN_ASM const sqm_expansion *e)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_EXPAND_THREES_ENTER
        ".balign 4\n"
        "0:\n"
        SQM_ASM_EXPAND_THREES(SQM_ASM_EXPAND_PUT)
        SQM_ASM_EXPAND_NEXT_PAIR
        ::: "memory");
    /* clang-format on */
}

SQM_NAKED uint32_t *sqm_expand_threes_and_sum(SQM_IN_ASM const sqm_expansion *e)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_EXPAND_THREES_ENTER
        "mov.w r3, #0x00010001\n"
        SQM_ASM_EXPAND_TAKE_SUMS
        ".balign 4\n"
        "0:\n"
        SQM_ASM_EXPAND_THREES(SQM_ASM_EXPAND_PUT_AND_SUM)
        SQM_ASM_EXPAND_PARK_SUMS
        SQM_ASM_EXPAND_NEXT_PAIR
        ::: "memory");
    /* clang-format on */
}

#undef SQM_ASM_EXPAND_FOUR
#undef SQM_ASM_EXPAND_FOUR_AND_SUM
#undef SQM_ASM_EXPAND_ENTER
#undef SQM_ASM_EXPAND_MOVE
#undef SQM_ASM_EXPAND_NEXT_PAIR
#undef SQM_ASM_EXPAND_TAKE_SUMS
#undef SQM_ASM_EXPAND_PARK_SUMS
#undef SQM_ASM_EXPAND_LOAD
#undef SQM_ASM_EXPAND_NINES
#undef SQM_ASM_EXPAND_PUT
#undef SQM_ASM_EXPAND_PUT_AND_SUM
#undef SQM_ASM_EXPAND_SUM
#undef SQM_ASM_EXPAND_THREES
#undef SQM_ASM_EXPAND_THREES_ENTER

#endif
