/*
 * Pooling, TFLite's MAX_POOL_2D and AVERAGE_POOL_2D: both sides share scale and zero point.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_POOL2D_H
#define SQM_OPERATORS_POOL2D_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/operators/window.h"

/** Images are [height][width][channels]; each window has at least one tap inside the image. */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t channels;
    int32_t output_height;
    int32_t output_width;
    int32_t window_height;
    int32_t window_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t pad_top;
    int32_t pad_left;
} sqm_pool2d_params;

typedef sqm_pool2d_params sqm_max_pool2d_params;
typedef sqm_pool2d_params sqm_average_pool2d_params;

/** The part of a window that lies inside the image, and channel 0 of its first pixel. */
typedef struct {
    const int8_t *first;
    int32_t height;
    int32_t width;
} sqm_pool2d_window;

SQM_INLINE sqm_pool2d_window sqm_pool2d_clip(const sqm_pool2d_params *p, const int8_t *input,
                                             int32_t oy, int32_t ox)
{
    const sqm_axis rows = {p->input_height, p->output_height, p->window_height, p->stride_height, 1,
                           p->pad_top};
    const sqm_axis columns = {p->input_width, p->output_width, p->window_width, p->stride_width, 1,
                              p->pad_left};
    const int32_t top = sqm_axis_origin(rows, oy);
    const int32_t left = sqm_axis_origin(columns, ox);
    const sqm_taps vertical = sqm_axis_taps(rows, top);
    const sqm_taps horizontal = sqm_axis_taps(columns, left);
    const int32_t y = top + vertical.first;
    const int32_t x = left + horizontal.first;

    return (sqm_pool2d_window){input + (y * p->input_width + x) * p->channels,
                               vertical.last - vertical.first, horizontal.last - horizontal.first};
}

/** The largest code of one channel in a window. */
SQM_INLINE int8_t sqm_max_pool2d_code(const sqm_pool2d_params *p, sqm_pool2d_window window,
                                      int32_t channel)
{
    int32_t largest = INT8_MIN;
    for (int32_t y = 0; y < window.height; ++y) {
        const int8_t *x = window.first + y * p->input_width * p->channels + channel;
        for (int32_t n = window.width; n > 0; --n) {
            largest = *x > largest ? *x : largest;
            x += p->channels;
        }
    }
    return (int8_t)largest;
}

/**
 * The largest code of each window.
 *
 * @param[in]  input   input_height * input_width * channels codes.
 * @param[out] output  output_height * output_width * channels codes; not the input.
 */
SQM_INLINE void sqm_max_pool2d(const sqm_pool2d_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t oy = 0; oy < p->output_height; ++oy) {
        for (int32_t ox = 0; ox < p->output_width; ++ox) {
            const sqm_pool2d_window window = sqm_pool2d_clip(p, input, oy, ox);
            for (int32_t channel = 0; channel < p->channels; ++channel) {
                *output++ = sqm_max_pool2d_code(p, window, channel);
            }
        }
    }
}

/** The sum of the codes of one channel in a window. */
SQM_INLINE int32_t sqm_average_pool2d_sum(const sqm_pool2d_params *p, sqm_pool2d_window window,
                                          int32_t channel)
{
    int32_t sum = 0;
    for (int32_t y = 0; y < window.height; ++y) {
        const int8_t *x = window.first + y * p->input_width * p->channels + channel;
        for (int32_t n = window.width; n > 0; --n) {
            sum += *x;
            x += p->channels;
        }
    }
    return sum;
}

/** sum / count to nearest, halves away from zero. */
SQM_INLINE int8_t sqm_average_code(int32_t sum, int32_t count)
{
    return (int8_t)((sum > 0 ? sum + count / 2 : sum - count / 2) / count);
}

/**
 * The mean of the codes of each window that lie inside the image, halves away from zero.
 *
 * @param[in]  input   input_height * input_width * channels codes.
 * @param[out] output  output_height * output_width * channels codes; not the input.
 */
SQM_INLINE void sqm_average_pool2d(const sqm_pool2d_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t oy = 0; oy < p->output_height; ++oy) {
        for (int32_t ox = 0; ox < p->output_width; ++ox) {
            const sqm_pool2d_window window = sqm_pool2d_clip(p, input, oy, ox);
            const int32_t count = window.height * window.width;
            for (int32_t channel = 0; channel < p->channels; ++channel) {
                *output++ = sqm_average_code(sqm_average_pool2d_sum(p, window, channel), count);
            }
        }
    }
}

#endif
