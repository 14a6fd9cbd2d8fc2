/*
 * Pooling and means on cores with DSP instructions, four channels at a time; channels beyond a
 * multiple of four are left to portable C.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_POOL2D_H
#define SQM_ARMV7EM_DSP_POOL2D_H

#include <stdint.h>

#include "kernels/armv7em_dsp/sums.h"
#include "kernels/operators/mean.h"
#include "kernels/operators/pool2d.h"
#include "sqm/compiler.h"

typedef sqm_pool2d_params sqm_max_pool2d__armv7em_dsp_params;
typedef sqm_pool2d_params sqm_average_pool2d__armv7em_dsp_params;
typedef sqm_mean_params sqm_mean__armv7em_dsp_params;

/** As sqm_max_pool2d. */
SQM_INLINE void sqm_max_pool2d__armv7em_dsp(const sqm_pool2d_params *p, const int8_t *input,
                                            int8_t *output)
{
    const int32_t row_bytes = p->input_width * p->channels;

    for (int32_t oy = 0; oy < p->output_height; ++oy) {
        for (int32_t ox = 0; ox < p->output_width; ++ox) {
            const sqm_pool2d_window window = sqm_pool2d_clip(p, input, oy, ox);
            int32_t channel = 0;
            for (; channel <= p->channels - 4; channel += 4) {
                const int8_t *x = window.first + channel;
                uint32_t largest = sqm_load_u32((const uint8_t *)x);
                for (int32_t y = 0; y < window.height; ++y) {
                    largest = sqm_four_largest_of(largest, x, p->channels, window.width);
                    x += row_bytes;
                }
                sqm_store_u32((uint8_t *)output + channel, largest);
            }
            for (; channel < p->channels; ++channel) {
                output[channel] = sqm_max_pool2d_code(p, window, channel);
            }
            output += p->channels;
        }
    }
}

/** As sqm_average_pool2d; a window has at most SQM_FOUR_SUMS_PIXELS taps. */
SQM_INLINE void sqm_average_pool2d__armv7em_dsp(const sqm_pool2d_params *p, const int8_t *input,
                                                int8_t *output)
{
    const int32_t row_bytes = p->input_width * p->channels;

    for (int32_t oy = 0; oy < p->output_height; ++oy) {
        for (int32_t ox = 0; ox < p->output_width; ++ox) {
            const sqm_pool2d_window window = sqm_pool2d_clip(p, input, oy, ox);
            const int32_t count = window.height * window.width;
            int32_t channel = 0;
            for (; channel <= p->channels - 4; channel += 4) {
                const int8_t *x = window.first + channel;
                sqm_four_sums sums = {0, 0};
                for (int32_t y = 0; y < window.height; ++y) {
                    sums = sqm_four_sums_of(sums, x, p->channels, window.width);
                    x += row_bytes;
                }
                for (int32_t i = 0; i < 4; ++i) {
                    output[channel + i] = sqm_average_code(sqm_four_sums_get(sums, i), count);
                }
            }
            for (; channel < p->channels; ++channel) {
                output[channel] =
                    sqm_average_code(sqm_average_pool2d_sum(p, window, channel), count);
            }
            output += p->channels;
        }
    }
}

/** As sqm_mean. */
SQM_INLINE void sqm_mean__armv7em_dsp(const sqm_mean_params *p, const int8_t *input, int8_t *output)
{
    int32_t channel = 0;

    for (; channel <= p->channels - 4; channel += 4) {
        const int8_t *x = input + channel;
        int32_t total[4] = {0, 0, 0, 0};
        for (int32_t left = p->pixels; left > 0; left -= SQM_FOUR_SUMS_PIXELS) {
            const int32_t count = left < SQM_FOUR_SUMS_PIXELS ? left : SQM_FOUR_SUMS_PIXELS;
            const sqm_four_sums none = {0, 0};
            const sqm_four_sums sums = sqm_four_sums_of(none, x, p->channels, count);
            for (int32_t i = 0; i < 4; ++i) {
                total[i] += sqm_four_sums_get(sums, i);
            }
            x += count * p->channels;
        }
        for (int32_t i = 0; i < 4; ++i) {
            output[channel + i] = sqm_mean_code(p, total[i]);
        }
    }
    for (; channel < p->channels; ++channel) {
        output[channel] = sqm_mean_code(p, sqm_mean_sum(p, input + channel));
    }
}

#endif
