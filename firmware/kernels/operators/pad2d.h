/*
 * An image with a border of zero points, TFLite's PAD. Both sides share scale and zero point.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_PAD2D_H
#define SQM_OPERATORS_PAD2D_H

#include <stdbool.h>
#include <stdint.h>

#include "sqm/compiler.h"

/** value: the code of the border. The other sizes are in pixels. */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t channels;
    int32_t top;
    int32_t bottom;
    int32_t left;
    int32_t right;
    int32_t value;
} sqm_pad2d_params;

/**
 * @param[in]  input   input_height * input_width * channels codes.
 * @param[out] output  (top + input_height + bottom) * (left + input_width + right) * channels
 *                     codes; not the input.
 */
SQM_INLINE void sqm_pad2d(const sqm_pad2d_params *p, const int8_t *input, int8_t *output)
{
    for (int32_t y = -p->top; y < p->input_height + p->bottom; ++y) {
        for (int32_t x = -p->left; x < p->input_width + p->right; ++x) {
            const bool inside = y >= 0 && y < p->input_height && x >= 0 && x < p->input_width;
            for (int32_t channel = 0; channel < p->channels; ++channel) {
                int32_t code = inside ? *input++ : p->value;
                SQM_OPAQUE(code);
                *output++ = (int8_t)code;
            }
        }
    }
}

#endif
