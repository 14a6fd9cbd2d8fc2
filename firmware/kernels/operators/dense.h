/*
 * Dense layer, TFLite's FULLY_CONNECTED: one dot product per output. Each weight is used once, so
 * codes are decoded inside the dot product and nothing is written to memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_DENSE_H
#define SQM_OPERATORS_DENSE_H

#include <stddef.h>
#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/kernel_api.h"
#include "kernels/requantize.h"

/**
 * row_bytes      packed bytes of one output's weights.
 * input_offset   -zero point of the input.
 * output_offset  zero point of the output.
 */
typedef struct {
    int32_t inputs;
    int32_t outputs;
    int32_t row_bytes;
    int32_t input_offset;
    int32_t output_offset;
    int32_t output_minimum;
    int32_t output_maximum;
} sqm_dense_params;

/**
 * With D the dot product with the stored codes v, and S the sum of x + input_offset:
 * the weights v and -v give D and -D, the weights 2v + 1 give 2D + S.
 *
 * @param[in]  dot         of the weights' width.
 * @param[in]  input       `inputs` codes.
 * @param[in]  weights     `outputs` rows of row_bytes.
 * @param[in]  steps       per output, see sqm_unpack_1x1; NULL where all are 1.
 * @param[in]  bias        per output, TFLite's: the input's zero point is not folded in.
 * @param[in]  multiplier  per output, with shift: accumulator to output, see requantize.h.
 * @param[out] output      `outputs` codes; not the input.
 */
SQM_INLINE void sqm_dense(const sqm_dense_params *p, sqm_dot_1x1 *dot, const int8_t *input,
                          const uint8_t *weights, const int8_t *steps, const int32_t *bias,
                          const int32_t *multiplier, const int8_t *shift, int8_t *output)
{
    int32_t sum = 0;

    if (steps != NULL) {
        for (int32_t i = 0; i < p->inputs; ++i) {
            sum += input[i] + p->input_offset;
        }
    }
    for (int32_t j = 0; j < p->outputs; ++j) {
        int32_t acc = dot(input, p->input_offset, weights + j * p->row_bytes, p->inputs);
        if (steps != NULL) {
            acc = acc * steps[j] + (steps[j] == 2 ? sum : 0);
        }
        output[j] = sqm_requantize_code(acc + bias[j], multiplier[j], shift[j], p->output_offset,
                                        p->output_minimum, p->output_maximum);
    }
}

#endif
