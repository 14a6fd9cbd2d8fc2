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

#include "kernels/armv7em_dsp/expand.h"
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
    /* clang-format off */
    __asm__(
        "push.w {r4-r7, lr}\n"
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
        "pop.w {r4-r7, pc}\n"
        ::: "memory");
    /* clang-format on */
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

/**
 * Where columns go, and by which functions.
 *
 * straight  of windows that lie inside the image; NULL where their taps are no whole words in it.
 * expand    of all others. It sums if sums are wanted.
 * staging   2 * taps bytes.
 * columns   taps words for each pair of pixels, in front of them
 * sums      0 words, or 2: each pixel's sum of taps.
 */
typedef struct {
    sqm_expand_block *straight;
    sqm_expand_block *expand;
    int8_t *staging;
    uint32_t *columns;
    int32_t sums;
} sqm_columns_target;

/** The function for windows inside the image; decided where the geometry is a constant, so that
 * others need not be in the image. */
SQM_INLINE sqm_expand_block *sqm_columns_straight(const sqm_columns_params *p, bool sums)
{
    const int32_t run = p->window_width * p->input_channels;

    if (p->dilation_width != 1 && p->window_width != 1) {
        return NULL;
    }
    if (run % 4 == 0 && run * p->window_height == p->taps) {
        return sums ? sqm_expand_and_sum : sqm_expand;
    }
    if (run == 9 && p->window_height == 3 && p->taps == 28) {
        return sums ? sqm_expand_nines_and_sum : sqm_expand_nines;
    }
    return NULL;
}

/** A pixel's window: its first tap, which may lie outside the image, and where it is in the image.
 */
typedef struct {
    const int8_t *first;
    int32_t top;
    int32_t left;
} sqm_window;

SQM_INLINE sqm_window sqm_window_at(const sqm_columns_params *p, const int8_t *input, int32_t oy,
                                    int32_t ox)
{
    const int32_t top = oy * p->stride_height - p->pad_top;
    const int32_t left = ox * p->stride_width - p->pad_left;

    return (sqm_window){
        .first = input + (top * p->input_width + left) * p->input_channels,
        .top = top,
        .left = left,
    };
}

/** Whether the image has all rows of the window. */
SQM_INLINE bool sqm_window_has_rows(const sqm_columns_params *p, const sqm_window *window)
{
    return window->top >= 0 &&
           window->top + (p->window_height - 1) * p->dilation_height < p->input_height;
}

/** Whether the taps of its rows, where the image has them, are neighbours in memory. */
SQM_INLINE bool sqm_window_has_columns(const sqm_columns_params *p, const sqm_window *window)
{
    return (p->dilation_width == 1 || p->window_width == 1) && window->left >= 0 &&
           window->left + p->window_width <= p->input_width;
}

/** Where the image has a tap, or NULL: row `ky`, and as many taps from `kx` on as are neighbours
 * and are in the image too, or are outside too; at most the `count` that there was. */
SQM_INLINE const int8_t *sqm_window_taps(const sqm_columns_params *p, const sqm_window *window,
                                         int32_t ky, int32_t kx, int32_t *count)
{
    const int32_t y = window->top + ky * p->dilation_height;
    const int32_t x = window->left + kx * p->dilation_width;
    const int32_t pixel = ky * p->dilation_height * p->input_width + kx * p->dilation_width;
    const int32_t same = x < 0 ? -x : p->input_width - x;

    if (y < 0 || y >= p->input_height) {
        return NULL;
    }
    if (p->dilation_width != 1) {
        *count = 1;
    } else if (same > 0 && same < *count) {
        *count = same;
    }
    return x >= 0 && same > 0 ? window->first + pixel * p->input_channels : NULL;
}

/** All taps of a window as bytes, at `to`; 0 behind them. */
SQM_BESIDE_ASM void sqm_columns_gather(const sqm_columns_params *p, const sqm_window *window,
                                       int8_t *to)
{
    const int32_t run = p->window_width * p->input_channels;
    const int32_t skip = p->dilation_height * p->input_width * p->input_channels - run;
    int8_t *const end = to + p->taps;

    if (sqm_window_has_rows(p, window) && sqm_window_has_columns(p, window)) {
        to = sqm_gather_rows(to, window->first, run, p->window_height, skip);
    } else {
        for (int32_t ky = 0; ky < p->window_height; ++ky) {
            for (int32_t kx = 0, count; kx < p->window_width; kx += count) {
                count = p->window_width - kx;
                const int8_t *x = sqm_window_taps(p, window, ky, kx, &count);
                to = x == NULL ? sqm_columns_fill(to, count * p->input_channels, p->zero_point)
                               : sqm_gather_rows(to, x, count * p->input_channels, 1, 0);
            }
        }
    }
    (void)sqm_columns_fill(to, (int32_t)(end - to), 0);
}

/** Two windows, wherever they are: where pixels are whole words as many taps at a time as go
 * together in both, else all taps as bytes first. */
SQM_BESIDE_ASM void sqm_columns_pair(const sqm_columns_params *p, const sqm_window windows[2],
                                     const sqm_columns_target *target)
{
    int8_t *const outside = target->staging;
    sqm_expansion e;

    e.columns = target->columns + target->sums;
    e.rows = 1;
    e.skip = 0;
    e.pairs = 1;
    e.next = 0;
    e.sums = (int32_t *)target->columns;
    if (p->input_channels % 4 != 0) {
        e.first = target->staging;
        e.second = target->staging + p->taps;
        e.run = p->taps;
        sqm_columns_gather(p, &windows[0], target->staging);
        sqm_columns_gather(p, &windows[1], target->staging + p->taps);
        (void)target->expand(&e);
        return;
    }
    (void)sqm_columns_fill(outside, p->window_width * p->input_channels, p->zero_point);
    for (int32_t ky = 0; ky < p->window_height; ++ky) {
        for (int32_t kx = 0, count; kx < p->window_width; kx += count) {
            count = p->window_width - kx;
            e.first = sqm_window_taps(p, &windows[0], ky, kx, &count);
            e.second = sqm_window_taps(p, &windows[1], ky, kx, &count);
            e.first = e.first == NULL ? outside : e.first;
            e.second = e.second == NULL ? outside : e.second;
            e.run = count * p->input_channels;
            e.columns = target->expand(&e) - target->sums;
        }
    }
    while (e.columns != target->columns + target->sums + p->taps) {
        *e.columns++ = 0;
    }
}

/** Pairs from column `ox` of the output on that lie inside the image, which has their rows. */
SQM_INLINE int32_t sqm_columns_inside(const sqm_columns_params *p, const sqm_window *window,
                                      int32_t ox, int32_t count)
{
    const int32_t room = p->input_width - p->window_width - window->left;
    int32_t pixels = p->output_width - ox;

    if (window->left < 0 || room < 0) {
        return 0;
    }
    pixels = pixels < count ? pixels : count;
    return (pixels <= room / p->stride_width ? pixels : room / p->stride_width + 1) / 2;
}

/**
 * The columns of pixels `pixel` ... `pixel + count - 1` of the output, in their order; of an odd
 * count the last pixel is there twice.
 *
 * @param[in]  input   the image.
 * @param      target  afterwards behind the columns.
 */
SQM_BESIDE_ASM void sqm_columns_of(const sqm_columns_params *p, const int8_t *input, int32_t pixel,
                                   int32_t count, sqm_columns_target *target)
{
    const int32_t step = p->stride_width * p->input_channels;
    const int32_t pitch = p->dilation_height * p->input_width * p->input_channels;
    const int32_t run = p->window_width * p->input_channels;
    int32_t oy = pixel / p->output_width;
    int32_t ox = pixel - oy * p->output_width;
    sqm_expansion e;

    e.run = run;
    e.rows = p->window_height;
    e.skip = pitch - run;
    e.next = 2 * step - p->window_height * pitch;
    while (count > 0) {
        sqm_window windows[2];
        int32_t pairs = 0;

        windows[0] = sqm_window_at(p, input, oy, ox);
        if (target->straight != NULL && sqm_window_has_rows(p, &windows[0])) {
            pairs = sqm_columns_inside(p, &windows[0], ox, count);
        }
        for (int32_t i = 0; i < target->sums; ++i) {
            target->columns[i] = 0;
        }
        if (pairs != 0) {
            e.columns = target->columns + target->sums;
            e.first = windows[0].first;
            e.second = windows[0].first + step;
            e.pairs = pairs;
            e.sums = (int32_t *)target->columns;
            (void)target->straight(&e);
            ox += 2 * pairs;
            count -= 2 * pairs;
        } else {
            pairs = 1;
            windows[1] = windows[0];
            if (--count > 0) {
                if (++ox == p->output_width) {
                    ox = 0;
                    ++oy;
                }
                windows[1] = sqm_window_at(p, input, oy, ox);
                --count;
            }
            sqm_columns_pair(p, windows, target);
            ++ox;
        }
        if (ox == p->output_width) {
            ox = 0;
            ++oy;
        }
        target->columns += pairs * (target->sums + p->taps);
    }
}

#endif
