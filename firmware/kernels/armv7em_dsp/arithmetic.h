/*
 * Requantization of numbers that are scaled down, in three instructions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_ARITHMETIC_H
#define SQM_ARMV7EM_DSP_ARITHMETIC_H

#include <stdint.h>

#include "kernels/armv7em_dsp/simd.h"
#include "sqm/compiler.h"

/** What tables of depthwise kernels have less than a shift where C requantizes: above 0 it would
 * say how often weights are to be doubled. */
#define SQM_SUMS_EXPONENT 31

/** What sqm_requantize computes for shifts of -1 and less, in three instructions. */
typedef struct {
    int32_t doubled; /* 2 * multiplier - 2^32 */
    int32_t factor;  /* -2^(32 + shift) */
} sqm_down_scale;

/** @param shift  -31 ... -1. */
SQM_INLINE sqm_down_scale sqm_down_scale_of(int32_t multiplier, int32_t shift)
{
    return (sqm_down_scale){(int32_t)(2u * (uint32_t)multiplier),
                            (int32_t)(0u - (UINT32_C(1) << (32 + shift)))};
}

/**
 * offset + acc * multiplier * 2^(shift - 31) with both roundings. SMMLAR adds half a unit and takes
 * the floor, so with `doubled`, whose missing 2^32 the addend makes up for, it is
 * sqm_doubling_high_mul; SMMLSR by a negative power of two is a division by 2^-shift, halves up,
 * and acc - (acc < 0) before it turns them away from zero.
 */
SQM_INLINE int32_t sqm_scale_down(int32_t acc, sqm_down_scale scale, int32_t offset)
{
    const int32_t product = sqm_smmlar(acc, scale.doubled, acc);
    return sqm_smmlsr(product + (product >> 31), scale.factor, offset);
}

#endif
