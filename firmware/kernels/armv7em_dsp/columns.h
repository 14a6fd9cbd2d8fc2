/*
 * Windows to columns: the taps of some pixels as 16-bit numbers, two pixels side by side, in the
 * order in which the inner loops read them. Taps in the padding are the zero point, so that the
 * bias, which has -zero point * sum of weights folded in, is the same for every pixel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_COLUMNS_H
#define SQM_ARMV7EM_DSP_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"
#include "sqm/compiler.h"

/** Geometry of a window that slides over an image, as sqm_conv2d_params, and the zero point. */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t window_height;
    int32_t window_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t zero_point;
    int32_t taps;
} sqm_columns_params;

/**
 * Rows of two windows to columns. Four taps of two pixels are four words: taps 0 and 2 of the
 * first, of the second, taps 1 and 3 of the first, of the second. 7 instructions and 13 cycles for
 * 8 numbers.
 *
 * @param[out] columns  rows * run words.
 * @param      run      bytes of a row, a multiple of 4, not 0.
 * @param      rows     at least 1.
 * @param      skip     bytes from the end of a row to the start of the next.
 * @return  behind the columns.
 */
SQM_NAKED uint32_t *sqm_expand_rows(SQM_IN_ASM uint32_t *columns, SQM_IN_ASM const int8_t *first,
                                    SQM_IN_ASM const int8_t *second, SQM_IN_ASM int32_t run,
                                    SQM_IN_ASM int32_t rows, SQM_IN_ASM int32_t skip)
{
    __asm__("push.w {r4-r11, lr}\n"
            "ldr.w r10, [sp, #36]\n"
            "ldr.w r11, [sp, #40]\n"
            /* The first round leaves out -run / 4 % 4 of the loop's four steps, 28 bytes each. */
            "rsb.w r12, r3, #0\n"
            "and.w r12, r12, #12\n"
            "rsb.w r12, r12, r12, lsl #3\n"
            "adr.w lr, 2f\n"
            "add.w lr, lr, r12\n"
            "orr.w lr, lr, #1\n"
            "1:\n"
            "add.w r12, r1, r3\n"
            "bx lr\n"
            ".balign 4\n"
            "2:\n"
            ".rept 4\n"
            "ldr.w r8, [r1], #4\n"
            "ldr.w r9, [r2], #4\n"
            "sxtb16 r4, r8\n"
            "sxtb16 r5, r9\n"
            "sxtb16 r6, r8, ror #8\n"
            "sxtb16 r7, r9, ror #8\n"
            "stmia.w r0!, {r4-r7}\n"
            ".endr\n"
            "cmp.w r1, r12\n"
            "bne.w 2b\n"
            "add.w r1, r1, r11\n"
            "add.w r2, r2, r11\n"
            "subs.w r10, r10, #1\n"
            "bne.w 1b\n"
            "pop.w {r4-r11, pc}\n" ::
                : "memory");
}

/**
 * The same, and the sums of both windows' taps: 11 instructions and 17 cycles for 8 numbers.
 *
 * @param[out] sums  of the first and of the second window.
 */
SQM_NAKED uint32_t *sqm_expand_rows_and_sum(SQM_IN_ASM uint32_t *columns,
                                            SQM_IN_ASM const int8_t *first,
                                            SQM_IN_ASM const int8_t *second, SQM_IN_ASM int32_t run,
                                            SQM_IN_ASM int32_t rows, SQM_IN_ASM int32_t skip,
                                            SQM_IN_ASM int32_t *sums)
{
    __asm__(
        SQM_ENTER "add.w r12, sp, #36 + " SQM_FRAME "\n"
                  "ldm.w r12, {r4, r5, r6}\n" SQM_PARK(0, r3) SQM_PARK(1, r4) SQM_PARK(2, r5)
                      SQM_PARK(3, r6)
        /* The first round leaves out -run / 4 % 4 of the loop's four steps, 44 bytes each. */
        "rsb.w r12, r3, #0\n"
        "and.w r12, r12, #12\n"
        "mov.w r4, #11\n"
        "adr.w lr, 2f\n"
        "mla lr, r12, r4, lr\n"
        "orr.w lr, lr, #1\n"
        "mov.w r3, #0x00010001\n"
        "mov.w r10, #0\n"
        "mov.w r11, #0\n"
        "1:\n" SQM_TAKE(
            r12, 0) "add.w r12, r1, r12\n"
                    "bx lr\n"
                    ".balign 4\n"
                    "2:\n"
                    ".rept 4\n"
                    "ldr.w r8, [r1], #4\n"
                    "ldr.w r9, [r2], #4\n"
                    "sxtb16 r4, r8\n"
                    "sxtb16 r5, r9\n"
                    "sxtb16 r6, r8, ror #8\n"
                    "sxtb16 r7, r9, ror #8\n"
                    "smlad r10, r4, r3, r10\n"
                    "smlad r11, r5, r3, r11\n"
                    "smlad r10, r6, r3, r10\n"
                    "smlad r11, r7, r3, r11\n"
                    "stmia.w r0!, {r4-r7}\n"
                    ".endr\n"
                    "cmp.w r1, r12\n"
                    "bne.w 2b\n" SQM_TAKE(
                        r12,
                        2) "add.w r1, r1, r12\n"
                           "add.w r2, r2, r12\n" SQM_TAKE(r12, 1) "subs.w r12, r12, #1\n" SQM_PARK(
                               1,
                               r12) "bne.w 1b\n" SQM_TAKE(r12,
                                                          3) "stm.w r12, {r10, r11}\n" SQM_LEAVE ::
                               : "memory");
}

/**
 * Rows of a window, of any length, one behind the other.
 *
 * @param[out] to    rows * run bytes.
 * @param      run   bytes of a row, not 0.
 * @param      rows  at least 1.
 * @param      skip  bytes from the end of a row to the start of the next.
 * @return  behind the bytes.
 */
SQM_NAKED int8_t *sqm_gather_rows(SQM_IN_ASM int8_t *to, SQM_IN_ASM const int8_t *from,
                                  SQM_IN_ASM int32_t run, SQM_IN_ASM int32_t rows,
                                  SQM_IN_ASM int32_t skip)
{
    __asm__("push.w {r4-r7, lr}\n"
            "ldr.w r4, [sp, #20]\n"
            "lsr.w r5, r2, #2\n"
            /* The first round leaves out -words % 4 of the loop's four steps, 8 bytes each. */
            "rsb.w r6, r5, #0\n"
            "and.w r6, r6, #3\n"
            "adr.w r7, 2f\n"
            "add.w r7, r7, r6, lsl #3\n"
            "orr.w r7, r7, #1\n"
            "1:\n"
            "movs.w r12, r5\n"
            "beq.w 3f\n"
            "bx r7\n"
            ".balign 4\n"
            "2:\n"
            ".rept 4\n"
            "ldr.w r6, [r1], #4\n"
            "str.w r6, [r0], #4\n"
            ".endr\n"
            "subs.w r12, r12, #4\n"
            "bgt.w 2b\n"
            "3:\n"
            "tst.w r2, #2\n"
            "beq.w 4f\n"
            "ldrh.w r6, [r1], #2\n"
            "strh.w r6, [r0], #2\n"
            "4:\n"
            "tst.w r2, #1\n"
            "beq.w 5f\n"
            "ldrb.w r6, [r1], #1\n"
            "strb.w r6, [r0], #1\n"
            "5:\n"
            "add.w r1, r1, r4\n"
            "subs.w r3, r3, #1\n"
            "bne.w 1b\n"
            "pop.w {r4-r7, pc}\n" ::
                : "memory");
}

/** Expands, and sums where `sums` is not NULL. */
SQM_INLINE uint32_t *sqm_columns_expand(uint32_t *columns, const int8_t *first,
                                        const int8_t *second, int32_t run, int32_t rows,
                                        int32_t skip, int32_t *sums)
{
    return sums == NULL ? sqm_expand_rows(columns, first, second, run, rows, skip)
                        : sqm_expand_rows_and_sum(columns, first, second, run, rows, skip, sums);
}

/** `count` bytes of one value; none below 1. */
SQM_INLINE int8_t *sqm_columns_fill(int8_t *to, int32_t count, int32_t value)
{
    const uint32_t word = (uint32_t)(uint8_t)value * 0x01010101u;
    int8_t *const end = to + count;

    while (end - to >= 4) {
        SQM_OPAQUE(value);
        sqm_store_u32((uint8_t *)to, word);
        to += 4;
    }
    while (to < end) {
        SQM_OPAQUE(value);
        *to++ = (int8_t)value;
    }
    return to;
}

/** Words while there are any, then bytes. */
SQM_INLINE int8_t *sqm_columns_copy(int8_t *to, const int8_t *from, int32_t count)
{
    int8_t *const end = to + count;
    int8_t *const words_end = to + (count & ~3);

    while (to < words_end) {
        uint32_t word = sqm_load_u32((const uint8_t *)from);
        SQM_OPAQUE(word);
        sqm_store_u32((uint8_t *)to, word);
        to += 4;
        from += 4;
    }
    while (to < end) {
        int32_t byte = *from++;
        SQM_OPAQUE(byte);
        *to++ = (int8_t)byte;
    }
    return to;
}

/** A pixel's window: its first tap, which may lie outside the image, and where it is in the image.
 */
typedef struct {
    const int8_t *first;
    int32_t top;
    int32_t left;
} sqm_window;

/** Row `ky` of a window, put together at `to` tap by tap: outside the image is the zero point. */
SQM_BESIDE_ASM void sqm_columns_assemble(const sqm_columns_params *p, const sqm_window *window,
                                         int32_t ky, int8_t *to)
{
    const int32_t channels = p->input_channels;
    const int32_t y = window->top + ky * p->dilation_height;
    const int8_t *x = window->first + ky * p->dilation_height * p->input_width * channels;
    int32_t left = window->left;

    if (y < 0 || y >= p->input_height) {
        (void)sqm_columns_fill(to, p->window_width * channels, p->zero_point);
        return;
    }
    for (int32_t kx = 0; kx < p->window_width; ++kx) {
        to = left < 0 || left >= p->input_width ? sqm_columns_fill(to, channels, p->zero_point)
                                                : sqm_columns_copy(to, x, channels);
        left += p->dilation_width;
        x += p->dilation_width * channels;
    }
}

/** Whether the window lies inside the image, and its taps of a row are neighbours in memory. */
SQM_INLINE bool sqm_columns_whole(const sqm_columns_params *p, const sqm_window *window)
{
    return (p->dilation_width == 1 || p->window_width == 1) && window->top >= 0 &&
           window->left >= 0 && window->left + p->window_width <= p->input_width &&
           window->top + (p->window_height - 1) * p->dilation_height < p->input_height;
}

/**
 * The columns of pixels `pixel` ... `pixel + count - 1` of the output, in their order; of an odd
 * count the last pixel is there twice.
 *
 * @param[in]  input    the image.
 * @param      staging  2 * taps bytes.
 * @param[out] columns  taps words for each pair of pixels.
 * @param[out] sums     NULL, or where each pixel's sum of taps goes, two for each pair.
 */
SQM_BESIDE_ASM void sqm_columns_of(const sqm_columns_params *p, const int8_t *input, int32_t pixel,
                                   int32_t count, int8_t *staging, uint32_t *columns, int32_t *sums)
{
    const int32_t run = p->window_width * p->input_channels;
    const int32_t skip = p->dilation_height * p->input_width * p->input_channels - run;
    int32_t oy = pixel / p->output_width;
    int32_t ox = pixel - oy * p->output_width;

    while (count > 0) {
        uint32_t *const end = columns + p->taps;
        sqm_window window[2];
        bool whole = run % 4 == 0;
        for (int32_t i = 0; i < 2; ++i) {
            window[i].top = oy * p->stride_height - p->pad_top;
            window[i].left = ox * p->stride_width - p->pad_left;
            window[i].first =
                input + (window[i].top * p->input_width + window[i].left) * p->input_channels;
            whole = whole && sqm_columns_whole(p, &window[i]);
            if (--count > 0 && ++ox == p->output_width) {
                ox = 0;
                ++oy;
            }
        }
        if (whole) {
            columns = sqm_columns_expand(columns, window[0].first, window[1].first, run,
                                         p->window_height, skip, sums);
            while (columns != end) {
                *columns++ = 0;
            }
            sums += sums == NULL ? 0 : 2;
            continue;
        }
        for (int32_t i = 0; i < 2; ++i) {
            int8_t *to = staging + i * p->taps;
            if (sqm_columns_whole(p, &window[i])) {
                to = sqm_gather_rows(to, window[i].first, run, p->window_height, skip);
            } else {
                for (int32_t ky = 0; ky < p->window_height; ++ky) {
                    sqm_columns_assemble(p, &window[i], ky, to);
                    to += run;
                }
            }
            (void)sqm_columns_fill(to, (int32_t)(staging + (i + 1) * p->taps - to), 0);
        }
        columns = sqm_columns_expand(columns, staging, staging + p->taps, p->taps, 1, 0, sums);
        sums += sums == NULL ? 0 : 2;
    }
}

#endif
