/*
 * What the tests of depthwise nests share: kernels by width, requantization, tables.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_TESTS_DEPTHWISE_CONSTANTS_H
#define SQM_TESTS_DEPTHWISE_CONSTANTS_H

#include "kernels/armv7em_dsp/depthwise_conv2d.h"
#include "kernels/armv7em_dsp/taps.h"
#include "kernels/portable_c/meta.h"
#include "naive_nests.h"

static const struct {
    int32_t bits;
    sqm_pick_1x1 *pick;
    sqm_taps_1x4 *unpack;
} widths[] = {{8, NULL, NULL},
              {6, sqm_pick_s8_w6_1x1__c, sqm_taps_s8_w6_1x4__armv7em_dsp},
              {5, sqm_pick_s8_w5_1x1__c, sqm_taps_s8_w5_1x4__armv7em_dsp},
              {4, sqm_pick_s8_w4_1x1__c, sqm_taps_s8_w4_1x4__armv7em_dsp},
              {3, sqm_pick_s8_w3_1x1__c, sqm_taps_s8_w3_1x4__armv7em_dsp},
              {2, sqm_pick_s8_w2_1x1__c, sqm_taps_s8_w2_1x4__armv7em_dsp}};

/** What `requantize` asks of shifts, clamp and zero point. */
static inline void band_constants(int32_t requantize, sqm_conv2d_params *p, constants *c)
{
    p->output_offset = requantize == SQM_BAND_RELU ? -128 : random_between(-128, 127);
    if (requantize == SQM_BAND_SUMS) {
        return;
    }
    const int32_t ups = random_between(0, 2); /* none, all, some of the channels scaled up */
    c->minimum = INT8_MIN;
    c->maximum = INT8_MAX;
    for (int32_t i = 0; i < p->output_channels; ++i) {
        c->shift[i] = (int8_t)(ups == 0   ? random_between(random_between(0, 3) ? -10 : -31, -1)
                               : ups == 1 ? random_between(0, 7)
                                          : random_between(-3, 2));
    }
}

static inline int32_t *band_table(const sqm_conv2d_params *p, const constants *c,
                                  const int8_t *weights, int32_t taps, int32_t requantize)
{
    int32_t *table = words(3 * p->output_channels);
    for (int32_t i = 0; i < p->output_channels; ++i) {
        const bool sums = requantize == SQM_BAND_SUMS;
        const int32_t up = c->shift[i] < 0 || sums ? 0 : c->shift[i] + 1;
        int32_t sum = 0;
        for (int32_t tap = 0; tap < taps; ++tap) {
            sum += weights[tap * p->output_channels + i];
        }
        table[3 * i] = (c->bias[i] + p->input_offset * sum) * (1 << up);
        table[3 * i + 1] = sums     ? c->multiplier[i]
                           : up > 0 ? -c->multiplier[i]
                                    : (int32_t)(0u - (UINT32_C(1) << (32 + c->shift[i])));
        table[3 * i + 2] = sums     ? c->shift[i] - SQM_SUMS_EXPONENT
                           : up > 0 ? up
                                    : (int32_t)(2u * (uint32_t)c->multiplier[i]);
    }
    return table;
}

#endif
