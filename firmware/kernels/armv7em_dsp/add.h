/*
 * Sum of two tensors on cores with DSP instructions: four elements at a time.
 *
 * Of the two inputs one has the larger scale, which makes its factor exactly 1/2: its share of the
 * sum is a shift. The other takes both roundings.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_ADD_H
#define SQM_ARMV7EM_DSP_ADD_H

#include <stdint.h>

#include "kernels/armv7em_dsp/arithmetic.h"
#include "kernels/operators/add.h"
#include "kernels/requantize.h"
#include "sqm/compiler.h"

typedef sqm_add_params sqm_add__armv7em_dsp_params;

/** sqm_add_share for factors of 1/2 and for those that scale down. */
SQM_INLINE int32_t sqm_add_share_down(int32_t centred, int32_t multiplier, int32_t shift)
{
    if (multiplier == 1 << 30 && shift == 0) {
        return sqm_add_share(centred, multiplier, shift);
    }
    return sqm_scale_down(centred * (1 << SQM_ADD_LEFT_SHIFT), sqm_down_scale_of(multiplier, shift),
                          0);
}

SQM_INLINE int8_t sqm_add_code(const sqm_add_params *p, int32_t left, int32_t right)
{
    const int32_t sum = sqm_add_share_down(left, p->left_multiplier, p->left_shift) +
                        sqm_add_share_down(right, p->right_multiplier, p->right_shift);
    const int32_t code = sqm_scale_down(
        sum, sqm_down_scale_of(p->output_multiplier, p->output_shift), p->output_offset);
    return sqm_clamp_code(code, p->output_minimum, p->output_maximum);
}

/**
 * @param[in]  p            each input's factor is below 1/2 (shift <= -1), or 1/2; output_shift <=
 * -1.
 * @param[in]  left, right  `elements` codes each.
 * @param[out] output       `elements` codes; may be left or right.
 */
SQM_INLINE void sqm_add__armv7em_dsp(const sqm_add_params *p, const int8_t *left,
                                     const int8_t *right, int8_t *output)
{
    const int32_t l = p->left_offset;
    const int32_t r = p->right_offset;

    for (int32_t n = p->elements / 4; n > 0; --n) {
        const uint32_t a = sqm_load_u32((const uint8_t *)left);
        const uint32_t b = sqm_load_u32((const uint8_t *)right);
        output[0] = sqm_add_code(p, SQM_SXTAB(l, a, 0), SQM_SXTAB(r, b, 0));
        output[1] = sqm_add_code(p, SQM_SXTAB(l, a, 1), SQM_SXTAB(r, b, 1));
        output[2] = sqm_add_code(p, SQM_SXTAB(l, a, 2), SQM_SXTAB(r, b, 2));
        output[3] = sqm_add_code(p, SQM_SXTAB(l, a, 3), SQM_SXTAB(r, b, 3));
        left += 4;
        right += 4;
        output += 4;
    }
    for (int32_t i = 0; i < p->elements % 4; ++i) {
        output[i] = sqm_add_code(p, left[i] + l, right[i] + r);
    }
}

#endif
