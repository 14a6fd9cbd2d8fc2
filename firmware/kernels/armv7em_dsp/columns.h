/*
 * Windows to columns: the taps of some pixels as 16-bit numbers, two pixels side by side, in the
 * order in which the inner loops read them. Taps in the padding are the zero point, so that the
 * bias, which has -zero point * sum of weights folded in, is the same for every pixel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_COLUMNS_H
#define SQM_ARMV7EM_DSP_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/borders.h"
#include "kernels/armv7em_dsp/expand.h"
#include "kernels/armv7em_dsp/padded_rows.h"
#include "kernels/armv7em_dsp/registers.h"
#include "kernels/armv7em_dsp/windows.h"
#include "sqm/compiler.h"

/** Goes on to the next windows. Returns whether `e` says where they are, else they are a pair that
 * is to be put together; of an odd count the last pixel is there twice. */
SQM_BESIDE_ASM bool sqm_columns_next(const sqm_columns_params *p, const int8_t *input,
                                     sqm_columns_target *t)
{
    const int32_t channels = p->input_channels;
    const int32_t step = p->stride_width * channels;
    const int32_t pitch = p->dilation_height * p->input_width * channels;
    const int32_t run = p->window_width * channels;
    const int32_t row = t->pixel / p->output_width;
    const int32_t column = t->pixel - row * p->output_width;
    const sqm_window window = sqm_window_at(p, input, row, column);
    const int32_t left_in_row = p->output_width - column;
    int32_t pixels = t->count < left_in_row ? t->count : left_in_row;
    bool inside = t->inside == SQM_ALL_INSIDE;

    if (!inside) {
        const int32_t below =
            p->input_height - (p->window_height - 1) * p->dilation_height - window.top;
        const int32_t room = p->input_width - p->window_width - window.left;
        if (t->inside == SQM_NONE_INSIDE || (window.top | window.left | room) < 0 || below <= 0) {
            pixels = 0;
        } else if (pixels > room / p->stride_width + 1) {
            pixels = room / p->stride_width + 1;
        }
        inside = pixels >= 2;
    }
    if (t->sums != 0) {
        t->columns[0] = 0;
        t->columns[1] = 0;
    }
    t->e.columns = t->columns + t->sums;
    t->e.first = window.first;
    t->e.second = window.first + step;
    t->e.run = run;
    t->e.rows = p->window_height;
    t->e.skip = pitch - run;
    t->e.next = 2 * step - p->window_height * pitch;
    t->e.sums = (int32_t *)t->columns;
    pixels &= ~1;
    if (pixels == 0) {
        /* At a border, at the end of a row or of all. */
        pixels = 2;
        t->windows[0] = window;
        t->windows[1] = window;
        if (t->count > 1) {
            t->windows[1] = left_in_row > 1 ? sqm_window_at(p, input, row, column + 1)
                                            : sqm_window_at(p, input, row + 1, 0);
        }
        t->e.second = t->windows[1].first;
    }
    t->e.pairs = pixels / 2;
    t->count -= pixels;
    t->columns += pixels / 2 * (t->sums + p->taps);
    t->pixel += pixels;
    return inside;
}

/** Puts a pair together. */
typedef void sqm_columns_beside(const sqm_columns_params *p, const int8_t *input,
                                sqm_columns_target *t);

/** As sqm_columns_block: by `straight` what lies inside the image, by `expand` and `beside` what
 * does not; either is NULL where there is none. */
SQM_INLINE void sqm_columns_by(const sqm_columns_params *p, const int8_t *input, int32_t pixel,
                               int32_t count, int8_t *staging, uint32_t *columns, int32_t sums,
                               sqm_windows_inside inside, sqm_expand_block *straight,
                               sqm_expand_block *expand, sqm_columns_beside *beside)
{
    sqm_columns_target t;

    t.expand = expand;
    t.staging = staging;
    t.columns = columns;
    t.sums = sums;
    t.count = count;
    t.pixel = pixel;
    t.inside = inside;
    while (t.count > 0) {
        const bool found_inside = sqm_columns_next(p, input, &t);
        if (straight != NULL && (beside == NULL || found_inside)) {
            (void)straight(&t.e);
        } else {
            beside(p, input, &t);
        }
    }
}

/**
 * Columns of a tile. Which of the functions below serves a convolution is decided in
 * sq_micro/kernels/columns.py.
 *
 * @param[in]  input    the image.
 * @param      staging  scratch, on a word.
 * @param[out] columns  those of `count` pixels from `pixel` on.
 */
typedef void sqm_columns_block(const sqm_columns_params *p, const int8_t *input, int32_t pixel,
                               int32_t count, int8_t *staging, uint32_t *columns);

/* Two functions: without sums of taps, and with them. */
#define SQM_DEFINE_COLUMNS(name, inside, straight, expand, beside)                                 \
    SQM_DEFINE_COLUMNS_OF(name, 0, inside, straight, expand, beside)                               \
    SQM_DEFINE_COLUMNS_OF(name##_and_sum, 2, inside, straight##_and_sum, expand##_and_sum, beside)
#define SQM_DEFINE_COLUMNS_OF(name, sums, ...)                                                     \
    SQM_BESIDE_ASM void sqm_columns_##name(const sqm_columns_params *p, const int8_t *input,       \
                                           int32_t pixel, int32_t count, int8_t *staging,          \
                                           uint32_t *columns)                                      \
    {                                                                                              \
        sqm_columns_by(p, input, pixel, count, staging, columns, sums, __VA_ARGS__);               \
    }

/* The same through padded rows, which lie behind `staging_columns` columns of bytes. */
#define SQM_DEFINE_PADDED_COLUMNS(name, staging_columns, straight, expand, beside)                 \
    SQM_DEFINE_PADDED_COLUMNS_OF(name, staging_columns, 0, SQM_ALL_INSIDE, straight, expand,       \
                                 beside)                                                           \
    SQM_DEFINE_PADDED_COLUMNS_OF(name##_and_sum, staging_columns, 2, SQM_ALL_INSIDE,               \
                                 straight##_and_sum, expand##_and_sum, beside)
#define SQM_DEFINE_PADDED_COLUMNS_OF(name, staging_columns, sums, ...)                             \
    SQM_BESIDE_ASM void sqm_columns_##name(const sqm_columns_params *p, const int8_t *input,       \
                                           int32_t pixel, int32_t count, int8_t *staging,          \
                                           uint32_t *columns)                                      \
    {                                                                                              \
        sqm_columns_params padded;                                                                 \
        const int8_t *const image = sqm_padded_rows(                                               \
            p, input, pixel, count, staging + (staging_columns) * p->taps, &padded);               \
        sqm_columns_by(&padded, image, pixel, count, staging, columns, sums, __VA_ARGS__);         \
    }

#define SQM_EXPAND_NOTHING         NULL
#define SQM_EXPAND_NOTHING_and_sum NULL

SQM_DEFINE_COLUMNS(inside, SQM_ALL_INSIDE, sqm_expand, SQM_EXPAND_NOTHING, NULL)
SQM_DEFINE_COLUMNS(words, SQM_SOME_INSIDE, sqm_expand, sqm_expand, sqm_columns_pair_of_words)
SQM_DEFINE_COLUMNS(words_apart, SQM_NONE_INSIDE, SQM_EXPAND_NOTHING, sqm_expand,
                   sqm_columns_pair_of_words)
SQM_DEFINE_COLUMNS(runs, SQM_SOME_INSIDE, sqm_expand, sqm_expand, sqm_columns_pair_of_boxes)
SQM_DEFINE_COLUMNS(bytes, SQM_NONE_INSIDE, SQM_EXPAND_NOTHING, sqm_expand,
                   sqm_columns_pair_of_bytes)
SQM_DEFINE_COLUMNS(nines, SQM_SOME_INSIDE, sqm_expand_nines, sqm_expand_nines,
                   sqm_columns_pair_of_boxes)
SQM_DEFINE_COLUMNS(threes, SQM_ALL_INSIDE, sqm_expand_threes, SQM_EXPAND_NOTHING, NULL)
SQM_DEFINE_PADDED_COLUMNS(padded_runs, 0, sqm_expand, SQM_EXPAND_NOTHING, NULL)
SQM_DEFINE_PADDED_COLUMNS(padded_threes, 0, sqm_expand_threes, SQM_EXPAND_NOTHING, NULL)
SQM_DEFINE_PADDED_COLUMNS(padded_bytes, 2, SQM_EXPAND_NOTHING, sqm_expand,
                          sqm_columns_pairs_of_bytes)

#undef SQM_DEFINE_COLUMNS
#undef SQM_DEFINE_COLUMNS_OF
#undef SQM_DEFINE_PADDED_COLUMNS
#undef SQM_DEFINE_PADDED_COLUMNS_OF
#undef SQM_EXPAND_NOTHING
#undef SQM_EXPAND_NOTHING_and_sum

#endif
