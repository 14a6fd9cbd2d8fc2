/*
 * Sum of two tensors of one shape, TFLite's ADD.
 *
 * Both inputs are shifted left by 20, so that their scaling to the common scale rounds 20 bits
 * below the codes; the sum is then scaled to the output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_ADD_H
#define SQM_OPERATORS_ADD_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/requantize.h"

/**
 * *_offset  -zero point of an input; zero point of the output.
 * *_shift   at most 0: inputs and sum are only scaled down.
 */
typedef struct {
    int32_t elements;
    int32_t left_offset;
    int32_t right_offset;
    int32_t output_offset;
    int32_t left_multiplier;
    int32_t left_shift;
    int32_t right_multiplier;
    int32_t right_shift;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t output_minimum;
    int32_t output_maximum;
} sqm_add_params;

/** Bits below the codes that the inputs are scaled with: 255 * 2^20 < 2^28. */
#define SQM_ADD_LEFT_SHIFT 20

/** One input's share of the sum. The larger scale has a factor of exactly 1/2: 2^20 / 2 is exact.
 */
SQM_INLINE int32_t sqm_add_share(int32_t centred, int32_t multiplier, int32_t shift)
{
    if (multiplier == 1 << 30 && shift == 0) {
        return centred * (1 << (SQM_ADD_LEFT_SHIFT - 1));
    }
    return sqm_requantize(centred * (1 << SQM_ADD_LEFT_SHIFT), multiplier, shift);
}

/**
 * @param[in]  left, right  `elements` codes each.
 * @param[out] output       `elements` codes; may be left or right.
 */
SQM_INLINE void sqm_add(const sqm_add_params *p, const int8_t *left, const int8_t *right,
                        int8_t *output)
{
    for (int32_t i = 0; i < p->elements; ++i) {
        const int32_t sum =
            sqm_add_share(left[i] + p->left_offset, p->left_multiplier, p->left_shift) +
            sqm_add_share(right[i] + p->right_offset, p->right_multiplier, p->right_shift);
        output[i] = sqm_requantize_code(sum, p->output_multiplier, p->output_shift,
                                        p->output_offset, p->output_minimum, p->output_maximum);
    }
}

#endif
