/*
 * Where windows lie in their image, and where their columns go.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_WINDOWS_H
#define SQM_ARMV7EM_DSP_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/expand.h"
#include "sqm/compiler.h"

/** Geometry of a window that slides over an image, as sqm_conv2d_params, and the zero point. */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t window_height;
    int32_t window_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t zero_point;
    int32_t taps;
} sqm_columns_params;

/** A pixel's window: its first tap, which may lie outside the image, and where it is in the image.
 */
typedef struct {
    const int8_t *first;
    int32_t top;
    int32_t left;
} sqm_window;

SQM_INLINE sqm_window sqm_window_at(const sqm_columns_params *p, const int8_t *input, int32_t oy,
                                    int32_t ox)
{
    const int32_t top = oy * p->stride_height - p->pad_top;
    const int32_t left = ox * p->stride_width - p->pad_left;

    return (sqm_window){
        .first = input + (top * p->input_width + left) * p->input_channels,
        .top = top,
        .left = left,
    };
}

/** Which windows of an image are known to lie inside it, with taps that are whole words there. */
typedef enum { SQM_NONE_INSIDE, SQM_SOME_INSIDE, SQM_ALL_INSIDE } sqm_windows_inside;

/**
 * A walk over the windows of some pixels of the output.
 *
 * expand    of a pair that is to be put together.
 * staging   bytes for those.
 * columns   taps words for each pair of pixels, in front of them
 * sums      0 words, or 2: each pixel's sum of taps.
 * count     pixels that are left, from
 * pixel     on.
 * inside    what is known.
 * windows   of the pair that is next.
 * e         where it and those behind it go, and where they are if they lie inside the image.
 */
typedef struct {
    sqm_expand_block *expand;
    int8_t *staging;
    uint32_t *columns;
    int32_t sums;
    int32_t count;
    int32_t pixel;
    sqm_windows_inside inside;
    sqm_window windows[2];
    sqm_expansion e;
} sqm_columns_target;

#endif
