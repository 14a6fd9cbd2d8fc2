/*
 * Mean over height and width, TFLite's MEAN, which is what global average pooling becomes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_MEAN_H
#define SQM_OPERATORS_MEAN_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/requantize.h"

/**
 * pixels             height * width of the input; 255 * pixels < 2^31.
 * input_offset       -zero point of the input.
 * output_offset      zero point of the output.
 * multiplier, shift  from the sum's scale to the output's: they hold the 1 / pixels.
 */
typedef struct {
    int32_t pixels;
    int32_t channels;
    int32_t input_offset;
    int32_t output_offset;
    int32_t multiplier;
    int32_t shift;
} sqm_mean_params;

/** The sum of a channel's codes over the pixels. */
SQM_INLINE int32_t sqm_mean_sum(const sqm_mean_params *p, const int8_t *channel)
{
    int32_t sum = 0;
    for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
        sum += channel[pixel * p->channels];
    }
    return sum;
}

/** The code of a channel whose codes have this sum. */
SQM_INLINE int8_t sqm_mean_code(const sqm_mean_params *p, int32_t sum)
{
    return sqm_requantize_code(sum + p->pixels * p->input_offset, p->multiplier, p->shift,
                               p->output_offset, INT8_MIN, INT8_MAX);
}

/**
 * @param[in]  input   pixels * channels codes.
 * @param[out] output  `channels` codes; not the input.
 */
SQM_INLINE void sqm_mean(const sqm_mean_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t channel = 0; channel < p->channels; ++channel) {
        output[channel] = sqm_mean_code(p, sqm_mean_sum(p, input + channel));
    }
}

#endif
