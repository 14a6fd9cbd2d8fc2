/*
 * Patches: parts of images. The first operators of a model may run patch after patch of the last
 * one's output, each on what the patch needs of its input, so that the tensors between them are
 * never whole.
 *
 * A part lies in memory as an image of its own. What its operator's window sees beyond it lies
 * beyond the whole image too, so the part has the image's padding at the image's edges and none
 * anywhere else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_PATCH_H
#define SQM_OPERATORS_PATCH_H

#include <stdint.h>

#include "kernels/operators/window.h"
#include "sqm/compiler.h"

/** Rows first_row ... last_row - 1 and columns first_column ... last_column - 1 of an image. */
typedef struct {
    int32_t first_row;
    int32_t last_row;
    int32_t first_column;
    int32_t last_column;
} sqm_patch;

SQM_INLINE int32_t sqm_patch_height(const sqm_patch *patch)
{
    return patch->last_row - patch->first_row;
}

SQM_INLINE int32_t sqm_patch_width(const sqm_patch *patch)
{
    return patch->last_column - patch->first_column;
}

SQM_INLINE int32_t sqm_patch_pixels(const sqm_patch *patch)
{
    return sqm_patch_height(patch) * sqm_patch_width(patch);
}

/** height x width pixels of an image, fewer at its lower and right edge. */
SQM_INLINE sqm_patch sqm_patch_at(int32_t row, int32_t height, int32_t image_height, int32_t column,
                                  int32_t width, int32_t image_width)
{
    const int32_t last_row = row + height;
    const int32_t last_column = column + width;

    return (sqm_patch){row, last_row < image_height ? last_row : image_height, column,
                       last_column < image_width ? last_column : image_width};
}

/** What an operator needs of its input, inside the image, for a patch of its output. */
SQM_INLINE sqm_patch sqm_patch_before(const sqm_axis *rows, const sqm_axis *columns,
                                      const sqm_patch *output)
{
    const int32_t top = sqm_axis_origin(*rows, output->first_row);
    const int32_t left = sqm_axis_origin(*columns, output->first_column);
    const int32_t bottom =
        sqm_axis_origin(*rows, output->last_row - 1) + (rows->window - 1) * rows->dilation + 1;
    const int32_t right = sqm_axis_origin(*columns, output->last_column - 1) +
                          (columns->window - 1) * columns->dilation + 1;

    return (sqm_patch){top > 0 ? top : 0, bottom < rows->input ? bottom : rows->input,
                       left > 0 ? left : 0, right < columns->input ? right : columns->input};
}

/**
 * Padding above a part of the input for a patch of the output; negative where the part begins
 * above the first window.
 */
SQM_INLINE int32_t sqm_patch_pad_top(const sqm_patch *input, const sqm_patch *output,
                                     int32_t stride, int32_t pad)
{
    return input->first_row - (output->first_row * stride - pad);
}

/** The same to the left. */
SQM_INLINE int32_t sqm_patch_pad_left(const sqm_patch *input, const sqm_patch *output,
                                      int32_t stride, int32_t pad)
{
    return input->first_column - (output->first_column * stride - pad);
}

#endif
