/*
 * Depthwise 2D convolution, TFLite's DEPTHWISE_CONV_2D: each output channel sees one input channel.
 *
 * Channel by channel: the taps of a channel are picked out of the packed run into scratch outside
 * the pixel loop, so decoding costs 1/pixels of the work and the inner loop is the same for all
 * widths. With its padding around it in scratch a channel has no borders, and its output may take
 * its place. Windows of 3x3 inside the image are written out, their weights in registers where
 * there are enough, the zero point in the bias.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_DEPTHWISE_CONV2D_H
#define SQM_OPERATORS_DEPTHWISE_CONV2D_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/kernel_api.h"
#include "kernels/operators/window.h"
#include "kernels/requantize.h"

/**
 * Geometry and codes, as sqm_conv2d_params.
 *
 * depth_multiplier  output channel c comes from input channel c / depth_multiplier;
 *                   output_channels = input_channels * depth_multiplier.
 * plane             1: a channel's codes are copied to scratch, with the padding around them,
 * before its outputs are written; else 0.
 */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t output_height;
    int32_t output_width;
    int32_t output_channels;
    int32_t window_height;
    int32_t window_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t input_offset;
    int32_t output_offset;
    int32_t output_minimum;
    int32_t output_maximum;
    int32_t depth_multiplier;
    int32_t plane;
} sqm_depthwise_conv2d_params;

/** The params of depthwise_conv2d along one axis. */
SQM_INLINE sqm_axis sqm_depthwise_conv2d_vertical(const sqm_depthwise_conv2d_params *p)
{
    return (sqm_axis){p->input_height,  p->output_height,   p->window_height,
                      p->stride_height, p->dilation_height, p->pad_top};
}

SQM_INLINE sqm_axis sqm_depthwise_conv2d_horizontal(const sqm_depthwise_conv2d_params *p)
{
    return (sqm_axis){p->input_width,  p->output_width,   p->window_width,
                      p->stride_width, p->dilation_width, p->pad_left};
}

/** acc + sum of (x[i * stride] + input_offset) * w[i]: a row of a window, three taps at a time. */
SQM_INLINE int32_t sqm_depthwise_conv2d_row(int32_t acc, const int8_t *x, int32_t stride,
                                            int32_t input_offset, const int8_t *w, int32_t count)
{
    for (; count >= 3; count -= 3) {
        int32_t x0 = x[0];
        int32_t x1 = x[stride];
        int32_t x2 = x[2 * stride];
        int32_t w0 = w[0];
        int32_t w1 = w[1];
        const int32_t w2 = w[2];
        SQM_LOADED_TOGETHER(x0, x1, x2, w0, w1);
        acc += (x0 + input_offset) * w0;
        acc += (x1 + input_offset) * w1;
        acc += (x2 + input_offset) * w2;
        x += 3 * stride;
        w += 3;
    }
    for (; count > 0; --count) {
        acc += (*x + input_offset) * *w;
        x += stride;
        ++w;
    }
    return acc;
}

/** Elements of the axis that windows see, padding included. */
SQM_INLINE int32_t sqm_depthwise_conv2d_seen(sqm_axis axis)
{
    return (axis.output - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1;
}

/** The axes of the image that windows slide over, and how far apart a channel's codes lie in it. */
typedef struct {
    sqm_axis rows;
    sqm_axis columns;
    int32_t step;
} sqm_depthwise_conv2d_image;

/** The input; with `plane` one channel of it with its padding, where all windows lie inside. */
SQM_INLINE sqm_depthwise_conv2d_image
sqm_depthwise_conv2d_image_of(const sqm_depthwise_conv2d_params *p)
{
    sqm_depthwise_conv2d_image image = {sqm_depthwise_conv2d_vertical(p),
                                        sqm_depthwise_conv2d_horizontal(p), p->input_channels};
    if (p->plane) {
        image.rows.input = sqm_depthwise_conv2d_seen(image.rows);
        image.rows.pad = 0;
        image.columns.input = sqm_depthwise_conv2d_seen(image.columns);
        image.columns.pad = 0;
        image.step = 1;
    }
    return image;
}

/** `count` codes of padding. Returns where the next goes. */
SQM_INLINE int8_t *sqm_depthwise_conv2d_pad(const sqm_depthwise_conv2d_params *p, int8_t *to,
                                            int32_t count)
{
    for (; count > 0; --count) {
        int32_t code = -p->input_offset;
        SQM_OPAQUE(code);
        *to++ = (int8_t)code;
    }
    return to;
}

/** The plane of the channel whose first code is `first`. */
SQM_INLINE void sqm_depthwise_conv2d_copy(const sqm_depthwise_conv2d_params *p, const int8_t *first,
                                          int8_t *plane)
{
    const int32_t height = sqm_depthwise_conv2d_seen(sqm_depthwise_conv2d_vertical(p));
    const int32_t width = sqm_depthwise_conv2d_seen(sqm_depthwise_conv2d_horizontal(p));
    const int32_t before = p->pad_left < width ? p->pad_left : width;
    const int32_t left = width - before;
    const int32_t inside = left < p->input_width ? left : p->input_width;

    for (int32_t y = -p->pad_top; y < height - p->pad_top; ++y) {
        if (y < 0 || y >= p->input_height) {
            plane = sqm_depthwise_conv2d_pad(p, plane, width);
        } else {
            const int8_t *from = first + y * p->input_width * p->input_channels;
            plane = sqm_depthwise_conv2d_pad(p, plane, before);
            for (int32_t n = inside; n > 0; --n) {
                int32_t code = *from;
                SQM_OPAQUE(code);
                *plane++ = (int8_t)code;
                from += p->input_channels;
            }
            plane = sqm_depthwise_conv2d_pad(p, plane, left - inside);
        }
    }
}

/** Weights of 3x3 taps and the bias with the input's zero point folded in: no tap is left out. */
typedef struct {
    int32_t w[9];
    int32_t bias;
} sqm_depthwise_conv2d_nine;

SQM_INLINE void sqm_depthwise_conv2d_fold(sqm_depthwise_conv2d_nine *nine, const int8_t *w,
                                          int32_t bias, int32_t input_offset)
{
    nine->w[0] = w[0];
    nine->w[1] = w[1];
    nine->w[2] = w[2];
    nine->w[3] = w[3];
    nine->w[4] = w[4];
    nine->w[5] = w[5];
    nine->w[6] = w[6];
    nine->w[7] = w[7];
    nine->w[8] = w[8];
    nine->bias =
        bias + input_offset * (w[0] + w[1] + w[2] + w[3] + w[4] + w[5] + w[6] + w[7] + w[8]);
}

/** acc + three taps of a row, `step` apart. */
SQM_INLINE int32_t sqm_depthwise_conv2d_three(int32_t acc, const int8_t *x, int32_t step,
                                              const int32_t *w)
{
    int32_t x0 = x[0];
    int32_t x1 = x[step];
    int32_t x2 = x[2 * step];
    SQM_LOADED_TOGETHER_3(x0, x1, x2);
    acc += x0 * w[0];
    acc += x1 * w[1];
    acc += x2 * w[2];
    return acc;
}

/** The sum of a window that lies inside the image; written out, so that `w` are single variables.
 */
SQM_INLINE int32_t sqm_depthwise_conv2d_inside(const sqm_depthwise_conv2d_nine *nine,
                                               const int8_t *x, int32_t step, int32_t row_step)
{
    int32_t acc = sqm_depthwise_conv2d_three(nine->bias, x, step, nine->w);
    acc = sqm_depthwise_conv2d_three(acc, x + row_step, step, nine->w + 3);
    return sqm_depthwise_conv2d_three(acc, x + 2 * row_step, step, nine->w + 6);
}

/**
 * @param[in]  pick        of the weights' width.
 * @param[in]  input       input_height * input_width * input_channels codes.
 * @param[in]  weights     window_height * window_width * output_channels codes in one packed run.
 * @param[in]  steps       per output channel, see sqm_unpack_1x1; NULL where all are 1.
 * @param[in]  bias        per output channel, TFLite's: the input's zero point is not folded in.
 * @param[in]  multiplier  per output channel, with shift: accumulator to output, see requantize.h.
 * @param      scratch     window_height * window_width bytes; with `plane` as many more as windows
 *                         see, see sqm_depthwise_conv2d_seen.
 * @param[out] output      output_height * output_width * output_channels codes; may begin where the
 *                         input does if `plane` is set and depth_multiplier is 1.
 */
SQM_INLINE void sqm_depthwise_conv2d(const sqm_depthwise_conv2d_params *p, sqm_pick_1x1 *pick,
                                     const int8_t *input, const uint8_t *weights,
                                     const int8_t *steps, const int32_t *bias,
                                     const int32_t *multiplier, const int8_t *shift,
                                     int8_t *scratch, int8_t *output)
{
    const int32_t taps = p->window_height * p->window_width;
    const sqm_depthwise_conv2d_image image = sqm_depthwise_conv2d_image_of(p);
    const int32_t step = image.step;
    const bool of_nine = p->window_height == 3 && p->window_width == 3;

    for (int32_t channel = 0; channel < p->output_channels; ++channel) {
        const int8_t *codes = input + channel / p->depth_multiplier;
        int8_t *out = output + channel;

        if (p->plane) {
            sqm_depthwise_conv2d_copy(p, codes, scratch + taps);
            codes = scratch + taps;
        }
        pick(weights, taps * p->output_channels, channel, p->output_channels, taps,
             steps == NULL ? 1 : steps[channel], scratch);
        sqm_depthwise_conv2d_nine nine;
        if (of_nine) {
            sqm_depthwise_conv2d_fold(&nine, scratch, bias[channel], p->input_offset);
        }
        for (int32_t oy = 0; oy < p->output_height; ++oy) {
            const int32_t top = sqm_axis_origin(image.rows, oy);
            const sqm_taps vertical = sqm_axis_taps(image.rows, top);
            for (int32_t ox = 0; ox < p->output_width; ++ox) {
                const int32_t left = sqm_axis_origin(image.columns, ox);
                const sqm_taps horizontal = sqm_axis_taps(image.columns, left);
                int32_t acc = bias[channel];
                if (of_nine && vertical.last - vertical.first == 3 &&
                    horizontal.last - horizontal.first == 3) {
                    acc = sqm_depthwise_conv2d_inside(
                        &nine, codes + (top * image.columns.input + left) * step,
                        p->dilation_width * step, p->dilation_height * image.columns.input * step);
                } else {
                    const int32_t first_x = left + horizontal.first * p->dilation_width;
                    for (int32_t ky = vertical.first; ky < vertical.last; ++ky) {
                        const int32_t y = top + ky * p->dilation_height;
                        acc = sqm_depthwise_conv2d_row(
                            acc, codes + (y * image.columns.input + first_x) * step,
                            p->dilation_width * step, p->input_offset,
                            scratch + ky * p->window_width + horizontal.first,
                            horizontal.last - horizontal.first);
                    }
                }
                *out = sqm_requantize_code(acc, multiplier[channel], shift[channel],
                                           p->output_offset, p->output_minimum, p->output_maximum);
                out += p->output_channels;
            }
        }
    }
}

#endif
