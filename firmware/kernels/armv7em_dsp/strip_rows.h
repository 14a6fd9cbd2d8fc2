/*
 * Rows of an image to the columns that strips.h reads: axes, phases of a dilation, padding.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_STRIP_ROWS_H
#define SQM_ARMV7EM_DSP_STRIP_ROWS_H

#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"
#include "kernels/armv7em_dsp/strips.h"
#include "sqm/compiler.h"

/**
 * One axis of an image, as sqm_axis, and where its neighbours lie.
 *
 * stride    across 1 or 2; on both axes 1 where the dilation is above 1.
 * tap_step  from a tap of the window to the next along the axis.
 * pixels    from a pixel of the input to the next along the axis; of the output.
 */
typedef struct {
    int32_t input;
    int32_t output;
    int32_t window;
    int32_t stride;
    int32_t dilation;
    int32_t pad;
    int32_t tap_step;
    int32_t input_pixels;
    int32_t output_pixels;
} sqm_strip_axis;

/**
 * Words of what a strip works on.
 *
 * line_words     of a line of weights.
 * record_words   of a channel.
 * columns_words  of a row of a channel.
 * channel_bytes  from a channel's columns to the next channel's; 0 where there is one alone.
 */
typedef struct {
    int32_t line_words;
    int32_t record_words;
    int32_t columns_words;
    int32_t channel_bytes;
} sqm_strip_sizes;

/** Every dilation-th pixel from `phase` on. */
SQM_INLINE sqm_strip_axis sqm_strip_axis_phase(const sqm_strip_axis *axis, int32_t phase)
{
    const int32_t step = axis->dilation;
    sqm_strip_axis found = *axis;
    const int32_t pad = axis->pad > phase ? (axis->pad - phase + step - 1) / step : 0;
    const int32_t first = phase + pad * step - axis->pad;

    found.input = first < axis->input ? (axis->input - first + step - 1) / step : 0;
    found.output = phase < axis->output ? (axis->output - phase + step - 1) / step : 0;
    found.pad = pad;
    found.input_pixels *= step;
    found.output_pixels *= step;
    return found;
}

/** The first pixel of the input that a phase sees, along its axis. */
SQM_INLINE int32_t sqm_strip_axis_first(const sqm_strip_axis *axis, int32_t phase, int32_t pad)
{
    return phase + pad * axis->dilation - axis->pad;
}

/** Codes of up to four channels in one word. */
SQM_INLINE uint32_t sqm_strip_codes(const int8_t *x, int32_t count)
{
    uint32_t codes = 0;
    if (count == SQM_STRIP_CHANNELS) {
        return sqm_load_u32((const uint8_t *)x);
    }
    for (int32_t i = 0; i < count; ++i) {
        codes |= (uint32_t)(uint8_t)x[i] << (8 * i);
    }
    return codes;
}

/**
 * One row of the image to columns of up to four channels. What lies in the padding stays as it is,
 * but for the halves of words that are shared with it.
 *
 * Of fewer than four channels the others hold what lies behind them in memory, but not behind the
 * last three columns, where the image may end.
 *
 * @param      axis   across the row.
 * @param[in]  row    its first pixel, the first channel.
 * @param      step   bytes from a pixel to the next.
 * @param      zeros  four zero points.
 * @param[out] to     the first channel's first word.
 */
SQM_BESIDE_ASM void sqm_strip_load(const sqm_strip_axis *axis, const int8_t *row, int32_t step,
                                   int32_t count, uint32_t zeros, uint32_t *to,
                                   const sqm_strip_sizes *sizes)
{
    const int32_t end = axis->pad + axis->input < 2 * sizes->columns_words
                            ? axis->input
                            : 2 * sizes->columns_words - axis->pad;
    int32_t column = -(axis->pad % 2);

    to += axis->pad / 2;
    while (column < end) {
        const int32_t inside = (end - (count == SQM_STRIP_CHANNELS ? 0 : 3) - column) / 2;
        if (column >= 0 && inside > 0) {
            const int8_t *const first = row + column * step;
            sqm_strip_words(first, first + step, to, inside, 2 * step, 2 * step,
                            sizes->channel_bytes);
            column += 2 * inside;
            to += inside;
            continue;
        }
        const uint32_t even = column < 0 ? zeros : sqm_strip_codes(row + column * step, count);
        const uint32_t odd =
            column + 1 < end ? sqm_strip_codes(row + (column + 1) * step, count) : zeros;
        sqm_strip_words((const int8_t *)&even, (const int8_t *)&odd, to, 1, 0, 0,
                        sizes->channel_bytes);
        column += 2;
        ++to;
    }
}

/** A row of padding. */
SQM_INLINE void sqm_strip_pad(const sqm_strip_sizes *sizes, const uint32_t *zeros, uint32_t *to)
{
    sqm_strip_words((const int8_t *)zeros, (const int8_t *)zeros, to, sizes->columns_words, 0, 0,
                    sizes->channel_bytes);
}

#endif
