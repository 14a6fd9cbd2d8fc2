/*
 * Weights of 3 bits: codes -4 ... 3 in a plane of 2 bits, then a plane of 1 bit.
 * Contracts: ../kernel_api.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_PORTABLE_C_W3_H
#define SQM_PORTABLE_C_W3_H

#include <stdint.h>

#include "kernels/portable_c/planes.h"

SQM_INLINE int32_t sqm_dot_s8_w3_1x1__c(const int8_t *x, int32_t input_offset, const uint8_t *row,
                                        int32_t k)
{
    return sqm_dot_planes(x, input_offset, row, k, 2, 1);
}

SQM_INLINE void sqm_unpack_s8_w3_1x1__c(const uint8_t *row, int32_t k, int32_t step, int8_t *out)
{
    sqm_unpack_planes(row, k, step, out, 2, 1);
}

SQM_INLINE void sqm_pick_s8_w3_1x1__c(const uint8_t *plane, int32_t elements, int32_t first,
                                      int32_t stride, int32_t count, int32_t step, int8_t *out)
{
    sqm_pick_planes(plane, elements, first, stride, count, step, out, 2, 1);
}

#endif
