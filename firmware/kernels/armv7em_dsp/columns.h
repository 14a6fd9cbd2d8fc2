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
 * Four taps of two pixels are four words: taps 0 and 2 of the first, of the second, taps 1 and 3 of
 * the first, of the second. 7 instructions and 13 cycles for 8 numbers.
 *
 * @param[out] columns  bytes words.
 * @param      bytes    of each pixel, a multiple of 4, not 0.
 * @return  behind the columns.
 */
SQM_NAKED uint32_t *sqm_expand_two(SQM_IN_ASM uint32_t *columns, SQM_IN_ASM const int8_t *first,
                                   SQM_IN_ASM const int8_t *second, SQM_IN_ASM int32_t bytes)
{
#define SQM_ASM_EXPAND                                                                             \
    "sxtb16 r4, r8\n"                                                                              \
    "sxtb16 r5, r9\n"                                                                              \
    "sxtb16 r6, r8, ror #8\n"                                                                      \
    "sxtb16 r7, r9, ror #8\n"                                                                      \
    "stmia.w r0!, {r4-r7}\n"
    __asm__("push.w {r4-r9}\n"
            "add.w r3, r3, r1\n" /* where `first` ends */
            "sub.w r12, r3, r1\n"
            "tst.w r12, #4\n"
            "beq.w 1f\n"
            "ldr.w r8, [r1], #4\n"
            "ldr.w r9, [r2], #4\n" SQM_ASM_EXPAND "1:\n"
            "tst.w r12, #8\n"
            "beq.w 2f\n"
            "ldr.w r8, [r1]\n"
            "ldr.w r9, [r2]\n" SQM_ASM_EXPAND "ldr.w r8, [r1, #4]\n"
            "ldr.w r9, [r2, #4]\n" SQM_ASM_EXPAND "add.w r1, r1, #8\n"
            "add.w r2, r2, #8\n"
            "2:\n"
            "cmp.w r1, r3\n"
            "beq.w 4f\n"
            ".balign 4\n"
            "3:\n"
            "ldr.w r8, [r1]\n"
            "ldr.w r9, [r2]\n" SQM_ASM_EXPAND "ldr.w r8, [r1, #4]\n"
            "ldr.w r9, [r2, #4]\n" SQM_ASM_EXPAND "ldr.w r8, [r1, #8]\n"
            "ldr.w r9, [r2, #8]\n" SQM_ASM_EXPAND "ldr.w r8, [r1, #12]\n"
            "ldr.w r9, [r2, #12]\n" SQM_ASM_EXPAND "add.w r1, r1, #16\n"
            "add.w r2, r2, #16\n"
            "cmp.w r1, r3\n"
            "bne.w 3b\n"
            "4:\n"
            "pop.w {r4-r9}\n"
            "bx lr\n" ::
                : "memory");
#undef SQM_ASM_EXPAND
}

/** `count` bytes of one value; none below 1. */
SQM_INLINE int8_t *sqm_columns_fill(int8_t *to, int32_t count, int32_t fill)
{
    for (; count > 0; --count) {
        *to++ = (int8_t)fill;
        SQM_OPAQUE(count);
    }
    return to;
}

/** Words while there are any, then bytes. */
SQM_INLINE int8_t *sqm_columns_copy(int8_t *to, const int8_t *from, int32_t count)
{
    for (; count >= 4; count -= 4) {
        uint32_t word = sqm_load_u32((const uint8_t *)from);
        sqm_store_u32((uint8_t *)to, word);
        to += 4;
        from += 4;
        SQM_OPAQUE(count);
    }
    for (; count > 0; --count) {
        *to++ = *from++;
        SQM_OPAQUE(count);
    }
    return to;
}

/** All taps of the window at (top, left) as bytes: those outside the image are the zero point,
 * those that only fill up the last group of four are 0. */
SQM_SHARED void sqm_columns_gather(const sqm_columns_params *p, const int8_t *input, int32_t top,
                                   int32_t left, int8_t *to)
{
    const int32_t channels = p->input_channels;
    int8_t *const end = to + p->taps;

    for (int32_t ky = 0; ky < p->window_height; ++ky) {
        const int32_t y = top + ky * p->dilation_height;
        const int8_t *row = input + y * p->input_width * channels;
        if (y < 0 || y >= p->input_height) {
            to = sqm_columns_fill(to, p->window_width * channels, p->zero_point);
        } else if (p->dilation_width == 1) {
            /* Neighbouring taps are neighbours in memory: what lies before, in and behind the row.
             */
            int32_t before = left < 0 ? -left : 0;
            int32_t behind = left + p->window_width - p->input_width;
            before = before < p->window_width ? before : p->window_width;
            behind = behind < 0 ? 0 : behind < p->window_width ? behind : p->window_width;
            to = sqm_columns_fill(to, before * channels, p->zero_point);
            to = sqm_columns_copy(to, row + (left + before) * channels,
                                  (p->window_width - before - behind) * channels);
            to = sqm_columns_fill(to, behind * channels, p->zero_point);
        } else {
            for (int32_t kx = 0; kx < p->window_width; ++kx) {
                const int32_t x = left + kx * p->dilation_width;
                to = x < 0 || x >= p->input_width
                         ? sqm_columns_fill(to, channels, p->zero_point)
                         : sqm_columns_copy(to, row + x * channels, channels);
            }
        }
    }
    (void)sqm_columns_fill(to, (int32_t)(end - to), 0);
}

/** Whether the window at (top, left) lies inside the image. */
SQM_INLINE bool sqm_columns_inside(const sqm_columns_params *p, int32_t top, int32_t left)
{
    return top >= 0 && left >= 0 &&
           top + (p->window_height - 1) * p->dilation_height < p->input_height &&
           left + (p->window_width - 1) * p->dilation_width < p->input_width;
}

/**
 * The columns of pixels `pixel` ... `pixel + count - 1` of the output, in their order; of an odd
 * count the last pixel is there twice.
 *
 * @param[in]  input    the image.
 * @param      staging  2 * taps bytes.
 * @param[out] columns  taps words for each pair of pixels.
 */
SQM_SHARED void sqm_columns_of(const sqm_columns_params *p, const int8_t *input, int32_t pixel,
                               int32_t count, int8_t *staging, uint32_t *columns)
{
    const int32_t channels = p->input_channels;
    const int32_t step_y = p->dilation_height * p->input_width * channels;
    const int32_t step_x = p->dilation_width * channels;
    const bool whole = p->dilation_width == 1;
    const int32_t run = whole ? p->window_width * channels : channels;
    const int32_t runs = whole ? 1 : p->window_width;
    int32_t oy = pixel / p->output_width;
    int32_t ox = pixel - oy * p->output_width;

    while (count > 0) {
        int32_t top[2];
        int32_t left[2];
        for (int32_t i = 0; i < 2; ++i) {
            top[i] = oy * p->stride_height - p->pad_top;
            left[i] = ox * p->stride_width - p->pad_left;
            if (--count > 0 && ++ox == p->output_width) {
                ox = 0;
                ++oy;
            }
        }
        if (channels % 4 == 0 && sqm_columns_inside(p, top[0], left[0]) &&
            sqm_columns_inside(p, top[1], left[1])) {
            const int8_t *first = input + (top[0] * p->input_width + left[0]) * channels;
            const int8_t *second = input + (top[1] * p->input_width + left[1]) * channels;
            uint32_t *const end = columns + p->taps;
            for (int32_t ky = 0; ky < p->window_height; ++ky) {
                for (int32_t i = 0; i < runs; ++i) {
                    columns = sqm_expand_two(columns, first + i * step_x, second + i * step_x, run);
                }
                first += step_y;
                second += step_y;
            }
            while (columns != end) {
                *columns++ = 0;
            }
        } else {
            sqm_columns_gather(p, input, top[0], left[0], staging);
            sqm_columns_gather(p, input, top[1], left[1], staging + p->taps);
            columns = sqm_expand_two(columns, staging, staging + p->taps, p->taps);
        }
    }
}

#endif
