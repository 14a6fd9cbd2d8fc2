/*
 * Parts of an image and of the padding around it, as bytes in scratch.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_PADDED_ROWS_H
#define SQM_ARMV7EM_DSP_PADDED_ROWS_H

#include <stdint.h>

#include "kernels/armv7em_dsp/copy_rows.h"
#include "kernels/armv7em_dsp/registers.h"
#include "kernels/armv7em_dsp/windows.h"
#include "sqm/compiler.h"

/** Rows and columns of an image, from a first one on that may lie outside. */
typedef struct {
    int32_t top;
    int32_t left;
    int32_t height;
    int32_t width;
} sqm_box;

/** How many of `count` places from `start` on are among 0 ... size - 1; `start` becomes the first
 * of them. */
SQM_INLINE int32_t sqm_places_inside(int32_t *start, int32_t count, int32_t size)
{
    const int32_t end = *start + count < size ? *start + count : size;

    *start = *start < 0 ? 0 : *start;
    return end - *start;
}

/** What a box holds, row behind row; zero points where it lies outside. Returns what is behind. */
SQM_BESIDE_ASM int8_t *sqm_padded_box(const sqm_columns_params *p, const int8_t *input,
                                      const sqm_box *box, int8_t *to)
{
    const int32_t channels = p->input_channels;
    const int32_t pitch = box->width * channels;
    int8_t *const end = to + box->height * pitch;
    int32_t top = box->top;
    int32_t left = box->left;
    const int32_t rows = sqm_places_inside(&top, box->height, p->input_height);
    const int32_t columns = sqm_places_inside(&left, box->width, p->input_width);
    const int32_t run = columns * channels;

    if (rows < box->height || columns < box->width) {
        sqm_fill(to, end, p->zero_point);
    }
    if (rows > 0 && columns > 0) {
        (void)sqm_copy_rows(to + (top - box->top) * pitch + (left - box->left) * channels,
                            input + (top * p->input_width + left) * channels, run, rows,
                            p->input_width * channels - run, pitch - run);
    }
    return end;
}

/**
 * The rows that the windows of some pixels see, as wide as all windows of the output are: for
 * images of few channels, whose windows in the padding are many, and their rows short.
 *
 * @param[in]  input   the image.
 * @param      pixel   of the output; with
 * @param      count   pixels, at least 1.
 * @param[out] to      the rows.
 * @param[out] padded  the geometry of the image that they are part of.
 * @return  where that image would begin.
 */
SQM_BESIDE_ASM const int8_t *sqm_padded_rows(const sqm_columns_params *p, const int8_t *input,
                                             int32_t pixel, int32_t count, int8_t *to,
                                             sqm_columns_params *padded)
{
    const int32_t first = pixel / p->output_width * p->stride_height;
    const int32_t last = (pixel + count - 1) / p->output_width * p->stride_height;
    const int32_t height = last + (p->window_height - 1) * p->dilation_height + 1;
    const int32_t width =
        (p->output_width - 1) * p->stride_width + (p->window_width - 1) * p->dilation_width + 1;
    const sqm_box box = {first - p->pad_top, -p->pad_left, height - first, width};

    (void)sqm_padded_box(p, input, &box, to);
    *padded = *p;
    padded->input_height = height;
    padded->input_width = width;
    padded->pad_top = 0;
    padded->pad_left = 0;
    return to - first * width * p->input_channels;
}

#endif
