/*
 * Codes to another scale and zero point, with a clamp: TFLite's QUANTIZE from int8 to int8, and
 * RELU or RELU6 where they stand alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_RESCALE_H
#define SQM_OPERATORS_RESCALE_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/requantize.h"

/**
 * input_offset   -zero point of the input.
 * output_offset  zero point of the output.
 */
typedef struct {
    int32_t elements;
    int32_t input_offset;
    int32_t output_offset;
    int32_t multiplier;
    int32_t shift;
    int32_t output_minimum;
    int32_t output_maximum;
} sqm_rescale_params;

/**
 * @param[in]  input   `elements` codes.
 * @param[out] output  `elements` codes; may be the input.
 */
SQM_INLINE void sqm_rescale(const sqm_rescale_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t i = 0; i < p->elements; ++i) {
        output[i] = sqm_requantize_code(input[i] + p->input_offset, p->multiplier, p->shift,
                                        p->output_offset, p->output_minimum, p->output_maximum);
    }
}

#endif
