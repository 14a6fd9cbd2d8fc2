/*
 * Operators with weights in little code: functions that all operators of their kind share, where
 * the other nests are compiled anew for each. The width of weights is an argument, too. The price
 * is time, since no geometry folds into the loops.
 *
 * Codes are of two planes, see portable_c/planes.h; 8 bits are a high plane of 8.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_SMALL_H
#define SQM_OPERATORS_SMALL_H

#include <stddef.h>
#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/operators/conv2d.h"
#include "kernels/operators/dense.h"
#include "kernels/operators/depthwise_conv2d.h"
#include "kernels/operators/window.h"
#include "kernels/portable_c/meta.h"
#include "kernels/requantize.h"

typedef sqm_conv2d_params sqm_conv2d__small_params;
typedef sqm_depthwise_conv2d_params sqm_depthwise_conv2d__small_params;

/** See sqm_pick_1x1; the codes have high_bits + low_bits bits. */
SQM_SHARED void sqm_small_pick(const uint8_t *plane, int32_t elements, int32_t first,
                               int32_t stride, int32_t count, int32_t step, int8_t *out,
                               int32_t high_bits, int32_t low_bits)
{
    sqm_pick_planes(plane, elements, first, stride, count, step, out, high_bits, low_bits);
}

/** Four channels of a pixel: rows of `w` are row_stride apart, 0 where there is one channel. */
SQM_INLINE void sqm_small_pixel(const sqm_conv2d_params *p, const int8_t *input, const int8_t *w,
                                int32_t row_stride, int32_t top, sqm_taps vertical, int32_t left,
                                sqm_taps horizontal, int32_t acc[SQM_CONV2D_TILE])
{
    const int32_t channels = p->input_channels;
    const int32_t offset = p->input_offset;
    const int32_t across = horizontal.last - horizontal.first;
    /* Neighbouring taps are neighbours in memory: one run per row of the window. */
    const int32_t runs = p->dilation_width == 1 && across > 0 ? 1 : across;
    const int32_t run = p->dilation_width == 1 ? across * channels : channels;
    int32_t acc0 = 0;
    int32_t acc1 = 0;
    int32_t acc2 = 0;
    int32_t acc3 = 0;

    for (int32_t ky = vertical.first; ky < vertical.last; ++ky) {
        const int32_t row = (top + ky * p->dilation_height) * p->input_width;
        const int32_t column = left + horizontal.first * p->dilation_width;
        const int8_t *x = input + (row + column) * channels;
        const int8_t *v = w + (ky * p->window_width + horizontal.first) * channels;
        for (int32_t n = 0; n < runs; ++n) {
            for (int32_t i = 0; i < run; ++i) {
                const int32_t value = x[i] + offset;
                acc0 += value * v[0];
                acc1 += value * v[row_stride];
                acc2 += value * v[2 * row_stride];
                acc3 += value * v[3 * row_stride];
                ++v;
            }
            x += p->dilation_width * channels;
        }
    }
    acc[0] = acc0;
    acc[1] = acc1;
    acc[2] = acc2;
    acc[3] = acc3;
}

/** See sqm_conv2d. `scratch` is min(4, output_channels) rows of weights; not used for 8 bits. */
SQM_SHARED void sqm_conv2d__small(const sqm_conv2d_params *p, int32_t high_bits, int32_t low_bits,
                                  const int8_t *input, const uint8_t *weights, const int8_t *steps,
                                  const int32_t *bias, const int32_t *multiplier,
                                  const int8_t *shift, int8_t *scratch, int8_t *output)
{
    const int32_t k = p->window_height * p->window_width * p->input_channels;
    const int32_t block = p->output_channels < SQM_CONV2D_TILE ? 1 : SQM_CONV2D_TILE;
    const int32_t row_stride = block == 1 ? 0 : k;
    const int32_t tiles = (p->output_height + p->tile_height - 1) / p->tile_height *
                          ((p->output_width + p->tile_width - 1) / p->tile_width);

    for (int32_t i = 0; i < tiles; ++i) {
        const sqm_conv2d_pixels tile = sqm_conv2d_tile(p, p->downwards ? tiles - 1 - i : i);
        for (int32_t next = 0; next < p->output_channels; next += block) {
            /* The last block begins early enough to be whole, as in sqm_conv2d. */
            const int32_t latest = p->output_channels - block;
            const int32_t channel = next < latest ? next : latest;
            const int8_t *w = (const int8_t *)weights + channel * p->row_bytes;
            if (high_bits < 8) {
                for (int32_t j = 0; j < block; ++j) {
                    sqm_small_pick((const uint8_t *)w + j * p->row_bytes, k, 0, 1, k,
                                   steps == NULL ? 1 : steps[channel + j], scratch + j * k,
                                   high_bits, low_bits);
                }
                w = scratch;
            }
            for (int32_t oy = tile.first_row; oy < tile.last_row; ++oy) {
                const int32_t top = sqm_axis_origin(sqm_conv2d_vertical(p), oy);
                const sqm_taps vertical = sqm_axis_taps(sqm_conv2d_vertical(p), top);
                for (int32_t ox = tile.first_column; ox < tile.last_column; ++ox) {
                    const int32_t left = sqm_axis_origin(sqm_conv2d_horizontal(p), ox);
                    const sqm_taps horizontal = sqm_axis_taps(sqm_conv2d_horizontal(p), left);
                    int32_t acc[SQM_CONV2D_TILE];
                    sqm_small_pixel(p, input, w, row_stride, top, vertical, left, horizontal, acc);
                    int8_t *out = output + (oy * p->output_width + ox) * p->output_channels;
                    for (int32_t j = 0; j < block; ++j) {
                        const int32_t c = channel + j;
                        out[c] = sqm_requantize_code(acc[j] + bias[c], multiplier[c], shift[c],
                                                     p->output_offset, p->output_minimum,
                                                     p->output_maximum);
                    }
                }
            }
        }
    }
}

/** See sqm_depthwise_conv2d. */
SQM_SHARED void sqm_depthwise_conv2d__small(const sqm_depthwise_conv2d_params *p, int32_t high_bits,
                                            int32_t low_bits, const int8_t *input,
                                            const uint8_t *weights, const int8_t *steps,
                                            const int32_t *bias, const int32_t *multiplier,
                                            const int8_t *shift, int8_t *scratch, int8_t *output)
{
    const int32_t taps = p->window_height * p->window_width;
    const sqm_depthwise_conv2d_image image = sqm_depthwise_conv2d_image_of(p);

    for (int32_t channel = 0; channel < p->output_channels; ++channel) {
        const int8_t *codes = input + channel / p->depth_multiplier;
        int8_t *out = output + channel;

        if (p->plane) {
            sqm_depthwise_conv2d_copy(p, codes, scratch + taps);
            codes = scratch + taps;
        }
        sqm_small_pick(weights, taps * p->output_channels, channel, p->output_channels, taps,
                       steps == NULL ? 1 : steps[channel], scratch, high_bits, low_bits);
        for (int32_t oy = 0; oy < p->output_height; ++oy) {
            const int32_t top = sqm_axis_origin(image.rows, oy);
            const sqm_taps vertical = sqm_axis_taps(image.rows, top);
            for (int32_t ox = 0; ox < p->output_width; ++ox) {
                const int32_t left = sqm_axis_origin(image.columns, ox);
                const sqm_taps horizontal = sqm_axis_taps(image.columns, left);
                int32_t acc = bias[channel];
                for (int32_t ky = vertical.first; ky < vertical.last; ++ky) {
                    const int32_t y = top + ky * p->dilation_height;
                    const int8_t *w = scratch + ky * p->window_width + horizontal.first;
                    const int8_t *x = codes + (y * image.columns.input + left +
                                               horizontal.first * p->dilation_width) *
                                                  image.step;
                    for (int32_t n = horizontal.last - horizontal.first; n > 0; --n) {
                        acc += (*x + p->input_offset) * *w;
                        x += p->dilation_width * image.step;
                        ++w;
                    }
                }
                *out = sqm_requantize_code(acc, multiplier[channel], shift[channel],
                                           p->output_offset, p->output_minimum, p->output_maximum);
                out += p->output_channels;
            }
        }
    }
}

/** See sqm_dense: a function for each width, since each weight is decoded for one product alone. */
#define SQM_SMALL_DENSE(wgt)                                                                       \
    typedef sqm_dense_params sqm_dense__small_##wgt##_params;                                      \
    SQM_SHARED void sqm_dense__small_##wgt(const sqm_dense_params *p, const int8_t *input,         \
                                           const uint8_t *weights, const int8_t *steps,            \
                                           const int32_t *bias, const int32_t *multiplier,         \
                                           const int8_t *shift, int8_t *output)                    \
    {                                                                                              \
        sqm_dense(p, sqm_dot_s8_##wgt##_1x1__c, input, weights, steps, bias, multiplier, shift,    \
                  output);                                                                         \
    }

SQM_SMALL_DENSE(w8)
SQM_SMALL_DENSE(w6)
SQM_SMALL_DENSE(w5)
SQM_SMALL_DENSE(w4)
SQM_SMALL_DENSE(w3)
SQM_SMALL_DENSE(w2)

#undef SQM_SMALL_DENSE

#endif
