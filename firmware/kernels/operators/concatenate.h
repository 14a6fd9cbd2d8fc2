/*
 * Concatenation, TFLite's CONCATENATION, one call per input. All tensors share one scale.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_CONCATENATE_H
#define SQM_OPERATORS_CONCATENATE_H

#include <stdint.h>

#include "kernels/operators/copy_codes.h"
#include "sqm/compiler.h"

/**
 * Copy the slices of one input to their places in the output.
 *
 * @param      outer        slices: the product of the dimensions before the axis.
 * @param      part_inner   codes of a slice of this input: the product of its other dimensions.
 * @param      whole_inner  the same of the output.
 * @param      offset       where this input begins in a slice of the output.
 * @param[in]  part         outer * part_inner codes.
 * @param[out] output       outer * whole_inner codes.
 */
SQM_INLINE void sqm_concatenate_part(int32_t outer, int32_t part_inner, int32_t whole_inner,
                                     int32_t offset, const int8_t *part, int8_t *output)
{
    for (int32_t slice = 0; slice < outer; ++slice) {
        int8_t *to = output + slice * whole_inner + offset;
        sqm_copy_codes(part + slice * part_inner, part_inner, to);
    }
}

#endif
