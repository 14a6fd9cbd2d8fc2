/*
 * Requantization of sums in C, for layers that the assembly's own does not serve.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GENERAL_H
#define SQM_ARMV7EM_DSP_GENERAL_H

#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"
#include "kernels/requantize.h"
#include "sqm/compiler.h"

/**
 * scaling   multiplier and shift of each channel of the block.
 * block     channels of a block.
 * channels  that there are: those behind them only fill up the block.
 */
typedef struct {
    const int32_t *scaling;
    int32_t block;
    int32_t channels;
    int32_t offset;
    int32_t minimum;
    int32_t maximum;
} sqm_general;

/** Codes of `pixels` pixels, `stride` bytes apart, from a block's sums of each. */
SQM_BESIDE_ASM void sqm_general_codes(const sqm_general *p, const int32_t *sums, int32_t pixels,
                                      int8_t *output, int32_t stride)
{
    for (int32_t i = 0; i < pixels; ++i) {
        for (int32_t j = 0; j < p->channels; ++j) {
            output[j] = sqm_requantize_code(sums[j], p->scaling[2 * j], p->scaling[2 * j + 1],
                                            p->offset, p->minimum, p->maximum);
        }
        output += stride;
        sums += p->block;
    }
}

#endif
