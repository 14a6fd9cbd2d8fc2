/*
 * Requantization of sums in C, for layers that the assembly's own does not serve.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GENERAL_H
#define SQM_ARMV7EM_DSP_GENERAL_H

#include <stdbool.h>
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

/** No shift lies below it. */
#define SQM_GENERAL_LEAST_SHIFT (-31)

/**
 * Whether a block's table holds multiplier and shift as requantize.h has them, in place of m and s:
 * the clamp is narrower than int8, channels are missing, or a shift is one that the kernel does not
 * take. A multiplier is never negative, and an m that is not belongs to an s below all shifts.
 */
SQM_INLINE bool sqm_general_block(const int32_t *table, int32_t table_words, int32_t block)
{
    const int32_t *const scaling = table + table_words - 2 * block;
    return scaling[0] >= 0 && scaling[1] >= SQM_GENERAL_LEAST_SHIFT;
}

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
