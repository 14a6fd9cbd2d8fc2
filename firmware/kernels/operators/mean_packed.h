/*
 * Mean over height and width of an activation of 4 bits, read where it rests.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_MEAN_PACKED_H
#define SQM_OPERATORS_MEAN_PACKED_H

#include <stdint.h>

#include "kernels/operators/mean.h"
#include "kernels/operators/packed_codes.h"
#include "sqm/compiler.h"

typedef sqm_mean_params sqm_mean_packed_params;

/**
 * @param[in]  input   pixels * channels packed codes.
 * @param[out] output  `channels` codes of 8 bits; not the input.
 */
SQM_INLINE void sqm_mean_packed(const sqm_mean_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t channel = 0; channel < p->channels; ++channel) {
        int32_t sum = 0;
        for (int32_t pixel = 0; pixel < p->pixels; ++pixel) {
            sum += sqm_packed_code(input, pixel * p->channels + channel);
        }
        output[channel] = sqm_mean_code(p, sum);
    }
}

#endif
