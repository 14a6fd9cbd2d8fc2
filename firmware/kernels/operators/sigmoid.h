/*
 * The logistic function, TFLite's LOGISTIC: the output is 1/256 (q + 128).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_SIGMOID_H
#define SQM_OPERATORS_SIGMOID_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/operators/fixed_point.h"
#include "kernels/requantize.h"

/**
 * input_offset       -zero point of the input.
 * multiplier, shift  input to Q4.
 * radius             inputs of this magnitude and beyond saturate.
 */
typedef struct {
    int32_t elements;
    int32_t input_offset;
    int32_t multiplier;
    int32_t shift;
    int32_t radius;
} sqm_sigmoid_params;

/**
 * @param[in]  input   `elements` codes.
 * @param[out] output  `elements` codes; may be the input.
 */
SQM_INLINE void sqm_sigmoid(const sqm_sigmoid_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t i = 0; i < p->elements; ++i) {
        const int32_t value = input[i] + p->input_offset;
        int32_t code;

        if (value <= -p->radius) {
            code = INT8_MIN;
        } else if (value >= p->radius) {
            code = INT8_MAX;
        } else {
            const int32_t q4 = sqm_requantize(value, p->multiplier, p->shift);
            code = sqm_divide_by_power_of_two(sqm_logistic(q4, 4), 31 - 8) + INT8_MIN;
            code = sqm_clamp(code, INT8_MIN, INT8_MAX);
        }
        output[i] = (int8_t)code;
    }
}

#endif
