/*
 * Pairs of windows that reach into the padding, or whose rows are no whole words.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_BORDERS_H
#define SQM_ARMV7EM_DSP_BORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/copy_rows.h"
#include "kernels/armv7em_dsp/padded_rows.h"
#include "kernels/armv7em_dsp/registers.h"
#include "kernels/armv7em_dsp/windows.h"
#include "sqm/compiler.h"

/** Where the image has a tap, or NULL: row `ky`, and as many taps from `kx` on as are neighbours
 * and are in the image too, or are outside too; at most the `count` that there was. */
SQM_INLINE const int8_t *sqm_window_taps(const sqm_columns_params *p, const sqm_window *window,
                                         int32_t ky, int32_t kx, int32_t *count)
{
    const int32_t y = window->top + ky * p->dilation_height;
    const int32_t x = window->left + kx * p->dilation_width;
    const int32_t pixel = ky * p->dilation_height * p->input_width + kx * p->dilation_width;
    const int32_t same = x < 0 ? -x : p->input_width - x;

    if (y < 0 || y >= p->input_height) {
        return NULL;
    }
    if (p->dilation_width != 1) {
        *count = 1;
    } else if (same > 0 && same < *count) {
        *count = same;
    }
    return x >= 0 && same > 0 ? window->first + pixel * p->input_channels : NULL;
}

/** A pair of windows, wherever they are, of pixels that are whole words: as many taps at a time as
 * go together in both. */
SQM_BESIDE_ASM void sqm_columns_pair_of_words(const sqm_columns_params *p, const int8_t *input,
                                              sqm_columns_target *t)
{
    int8_t *const outside = t->staging;
    sqm_expansion *const e = &t->e;
    uint32_t *const end = e->columns + p->taps;

    (void)input;
    e->rows = 1;
    sqm_fill(outside, outside + p->window_width * p->input_channels, p->zero_point);
    for (int32_t ky = 0; ky < p->window_height; ++ky) {
        for (int32_t kx = 0, count; kx < p->window_width; kx += count) {
            count = p->window_width - kx;
            e->first = sqm_window_taps(p, &t->windows[0], ky, kx, &count);
            e->second = sqm_window_taps(p, &t->windows[1], ky, kx, &count);
            e->first = e->first == NULL ? outside : e->first;
            e->second = e->second == NULL ? outside : e->second;
            e->run = count * p->input_channels;
            e->columns = t->expand(e) - t->sums;
        }
    }
    while (e->columns != end) {
        *e->columns++ = 0;
    }
}

/** A pair of windows without dilation, wherever they are: both as bytes first. */
SQM_BESIDE_ASM void sqm_columns_pair_of_boxes(const sqm_columns_params *p, const int8_t *input,
                                              sqm_columns_target *t)
{
    int8_t *to = t->staging;

    t->e.first = to;
    for (int32_t i = 0; i < 2; ++i) {
        const sqm_box box = {t->windows[i].top, t->windows[i].left, p->window_height,
                             p->window_width};
        t->e.second = to;
        to = sqm_padded_box(p, input, &box, to);
    }
    t->e.skip = 0;
    (void)t->expand(&t->e);
}

/** All taps of a window as bytes, at `to`; 0 behind them. */
SQM_BESIDE_ASM void sqm_columns_gather(const sqm_columns_params *p, const int8_t *input,
                                       const sqm_window *window, int8_t *to)
{
    const bool dense = p->dilation_height == 1 && p->dilation_width == 1;
    int8_t *const end = to + p->taps;
    sqm_box box;

    box.height = dense ? p->window_height : 1;
    box.width = p->dilation_width == 1 ? p->window_width : 1;
    for (int32_t ky = 0; ky < p->window_height; ky += box.height) {
        for (int32_t kx = 0; kx < p->window_width; kx += box.width) {
            box.top = window->top + ky * p->dilation_height;
            box.left = window->left + kx * p->dilation_width;
            to = sqm_padded_box(p, input, &box, to);
        }
    }
    sqm_fill(to, end, 0);
}

/** A pair of any windows: their taps as bytes first. */
SQM_BESIDE_ASM void sqm_columns_pair_of_bytes(const sqm_columns_params *p, const int8_t *input,
                                              sqm_columns_target *t)
{
    t->e.first = t->staging;
    t->e.second = t->staging + p->taps;
    t->e.run = p->taps;
    t->e.rows = 1;
    sqm_columns_gather(p, input, &t->windows[0], t->staging);
    sqm_columns_gather(p, input, &t->windows[1], t->staging + p->taps);
    (void)t->expand(&t->e);
}

/** Pairs of windows that lie inside the image, whose rows are any number of neighbours: as bytes
 * first, pair after pair. */
SQM_BESIDE_ASM void sqm_columns_pairs_of_bytes(const sqm_columns_params *p, const int8_t *input,
                                               sqm_columns_target *t)
{
    const int32_t run = t->e.run;
    const int32_t rows = t->e.rows;
    const int32_t skip = t->e.skip;
    const int32_t next = 2 * p->stride_width * p->input_channels;
    int8_t *const staging[2] = {t->staging, t->staging + p->taps};
    const int8_t *first = t->e.first;
    const int8_t *second = t->e.second;
    sqm_expansion e;

    (void)input;
    e.columns = t->e.columns;
    e.first = staging[0];
    e.second = staging[1];
    e.run = p->taps;
    e.rows = 1;
    e.pairs = 1;
    for (int32_t i = 0; i < 2; ++i) {
        sqm_fill(staging[i] + run * rows, staging[i] + p->taps, 0);
    }
    for (int32_t pair = t->e.pairs; pair > 0; --pair) {
        (void)sqm_copy_rows(staging[0], first, run, rows, skip, 0);
        (void)sqm_copy_rows(staging[1], second, run, rows, skip, 0);
        e.sums = (int32_t *)e.columns - t->sums;
        if (t->sums != 0) {
            e.sums[0] = 0;
            e.sums[1] = 0;
        }
        e.columns = t->expand(&e);
        first += next;
        second += next;
    }
}

#endif
