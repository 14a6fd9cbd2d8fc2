/*
 * Softmax over the last axis, TFLite's SOFTMAX: the output is 1/256 (q + 128).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_SOFTMAX_H
#define SQM_OPERATORS_SOFTMAX_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/operators/fixed_point.h"
#include "kernels/requantize.h"

/**
 * rows               vectors in the tensor.
 * depth              elements of a vector, below 4096.
 * multiplier, shift  a difference of codes to Q5; shift >= 0.
 * diff_min           differences to the row's maximum below it count as exp = 0; at most 0.
 */
typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t multiplier;
    int32_t shift;
    int32_t diff_min;
} sqm_softmax_params;

/** exp of a difference to the row's maximum, in Q0. */
SQM_INLINE int32_t sqm_softmax_exp(const sqm_softmax_params *p, int32_t difference)
{
    return sqm_exp_of_negative(sqm_requantize(difference, p->multiplier, p->shift), 5);
}

/**
 * @param[in]  input   rows * depth codes.
 * @param[out] output  rows * depth codes; may be the input.
 */
SQM_INLINE void sqm_softmax(const sqm_softmax_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t largest = INT8_MIN;
        uint32_t sum = 0; /* Q12 */
        int32_t headroom;
        int32_t inverse;
        int32_t exponent;

        for (int32_t i = 0; i < p->depth; ++i) {
            largest = input[i] > largest ? input[i] : largest;
        }
        for (int32_t i = 0; i < p->depth; ++i) {
            const int32_t difference = input[i] - largest;
            if (difference >= p->diff_min) {
                sum += (uint32_t)sqm_divide_by_power_of_two(sqm_softmax_exp(p, difference), 12);
            }
        }
        /* sum = (1 + fraction) 2^(12 - headroom); its maximum alone gives 2^19, so sum is not 0. */
        headroom = sqm_leading_zeros(sum);
        inverse = sqm_one_over_one_plus((int32_t)((sum << headroom) - (UINT32_C(1) << 31)));
        exponent = 12 - headroom + 31 - 8;
        for (int32_t i = 0; i < p->depth; ++i) {
            const int32_t difference = input[i] - largest;
            int32_t code = INT8_MIN;
            /* Past 31 every quotient is below a half. TFLite Micro stops there. */
            if (difference >= p->diff_min && exponent <= 31) {
                const int32_t q0 = sqm_doubling_high_mul(inverse, sqm_softmax_exp(p, difference));
                code += sqm_divide_by_power_of_two(q0, exponent);
            }
            output[i] = (int8_t)sqm_clamp(code, INT8_MIN, INT8_MAX);
        }
        input += p->depth;
        output += p->depth;
    }
}

#endif
