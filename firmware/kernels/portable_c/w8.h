/*
 * Weights of 8 bits: the code is the weight, so there is nothing to unpack.
 * Contracts: ../kernel_api.h.
 *
 * The loops are unrolled by hand: at -O2 gcc does not do it, and the loop's own instructions would
 * cost as much as a third of the work. Where k is a constant, divisions and tails fold away.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_PORTABLE_C_W8_H
#define SQM_PORTABLE_C_W8_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/thumb/dot_1x4.h"

SQM_INLINE int32_t sqm_dot_s8_w8_1x1__c(const int8_t *x, int32_t input_offset, const uint8_t *row,
                                        int32_t k)
{
    const int8_t *w = (const int8_t *)row;
    int32_t sum = 0;

    for (int32_t n = k / 4; n > 0; --n) {
        sum += (x[0] + input_offset) * w[0];
        sum += (x[1] + input_offset) * w[1];
        sum += (x[2] + input_offset) * w[2];
        sum += (x[3] + input_offset) * w[3];
        x += 4;
        w += 4;
    }
    for (int32_t i = 0; i < k % 4; ++i) {
        sum += (x[i] + input_offset) * w[i];
    }
    return sum;
}

/** Element i of x times element i of four rows. */
#define SQM_STEP_1X4(i)                                                                            \
    do {                                                                                           \
        SQM_STEP_STARTS(x, w, acc0, acc1, acc2, acc3);                                             \
        int32_t value = x[i];                                                                      \
        int32_t w0 = w[i];                                                                         \
        int32_t w1 = w[row_stride + (i)];                                                          \
        int32_t w2 = w[2 * row_stride + (i)];                                                      \
        int32_t w3 = w[3 * row_stride + (i)];                                                      \
        SQM_LOADED_TOGETHER(value, w0, w1, w2, w3);                                                \
        value += input_offset;                                                                     \
        acc0 += value * w0;                                                                        \
        acc1 += value * w1;                                                                        \
        acc2 += value * w2;                                                                        \
        acc3 += value * w3;                                                                        \
    } while (0)

SQM_INLINE void sqm_dot_s8_w8_1x4__c(const int8_t *x, int32_t input_offset, const int8_t *w,
                                     int32_t row_stride, int32_t k, int32_t acc[4])
{
#if SQM_HAS_THUMB_DOT_1X4
    sqm_thumb_dot_1x4(x, input_offset, w, row_stride, k, acc);
#else
    int32_t acc0 = acc[0];
    int32_t acc1 = acc[1];
    int32_t acc2 = acc[2];
    int32_t acc3 = acc[3];

    for (int32_t n = k / 8; n > 0; --n) {
        SQM_STEP_1X4(0);
        SQM_STEP_1X4(1);
        SQM_STEP_1X4(2);
        SQM_STEP_1X4(3);
        SQM_STEP_1X4(4);
        SQM_STEP_1X4(5);
        SQM_STEP_1X4(6);
        SQM_STEP_1X4(7);
        x += 8;
        w += 8;
    }
    for (int32_t i = 0; i < k % 8; ++i) {
        SQM_STEP_1X4(i);
    }
    acc[0] = acc0;
    acc[1] = acc1;
    acc[2] = acc2;
    acc[3] = acc3;
#endif
}

#undef SQM_STEP_1X4

SQM_INLINE void sqm_pick_s8_w8_1x1__c(const uint8_t *plane, int32_t elements, int32_t first,
                                      int32_t stride, int32_t count, int32_t step, int8_t *out)
{
    (void)elements;
    for (int32_t i = 0, index = first; i < count; ++i, index += stride) {
        out[i] = (int8_t)((int8_t)plane[index] * step);
    }
}

#endif
