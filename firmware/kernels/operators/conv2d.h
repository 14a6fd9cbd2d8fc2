/*
 * 2D convolution, TFLite's CONV_2D: weights of any width, one scale per output channel.
 *
 * Four output channels share each load of x. Weights below 8 bits are unpacked to scratch outside
 * the pixel loop, so their decoding costs 1/pixels of the work and the inner loop is the same for
 * all widths.
 *
 * The output is computed tile by tile. All that a tile writes lies between the tiles beside it, so
 * output and input may overlap as far as the tiles still to come do not read what was written; how
 * far that is follows from the order of the loops below and is derived in
 * sq_micro/kernels/walks.py.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_CONV2D_H
#define SQM_OPERATORS_CONV2D_H

#include <stddef.h>
#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/kernel_api.h"
#include "kernels/operators/window.h"
#include "kernels/portable_c/w8.h"
#include "kernels/requantize.h"

/**
 * Geometry and codes. Images are [height][width][channels].
 *
 * row_bytes      packed bytes of one output channel's weights.
 * input_offset   -zero point of the input.
 * output_offset  zero point of the output.
 * tile_height    output rows of a tile.
 * tile_width     its output columns: output_width, unless tile_height is 1.
 * downwards      1: the tiles are computed from the last to the first; else 0.
 */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t output_height;
    int32_t output_width;
    int32_t output_channels;
    int32_t window_height;
    int32_t window_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t input_offset;
    int32_t output_offset;
    int32_t output_minimum;
    int32_t output_maximum;
    int32_t row_bytes;
    int32_t tile_height;
    int32_t tile_width;
    int32_t downwards;
} sqm_conv2d_params;

/** Output pixels first_row ... last_row - 1, first_column ... last_column - 1. */
typedef struct {
    int32_t first_row;
    int32_t last_row;
    int32_t first_column;
    int32_t last_column;
} sqm_conv2d_pixels;

/** Output channels that are computed together, where the operator has as many. */
#define SQM_CONV2D_TILE 4

/** So few that a run of as many taps takes longer to begin than to go through. */
#define SQM_CONV2D_FEW_CHANNELS 4

/** The params of conv2d along one axis. */
SQM_INLINE sqm_axis sqm_conv2d_vertical(const sqm_conv2d_params *p)
{
    return (sqm_axis){p->input_height,  p->output_height,   p->window_height,
                      p->stride_height, p->dilation_height, p->pad_top};
}

SQM_INLINE sqm_axis sqm_conv2d_horizontal(const sqm_conv2d_params *p)
{
    return (sqm_axis){p->input_width,  p->output_width,   p->window_width,
                      p->stride_width, p->dilation_width, p->pad_left};
}

/** How rows of weights lie: bytes, `row_stride` apart, or where `pairs` is given as its words. */
typedef struct {
    sqm_pairs_1x4 *pairs;
    const int8_t *bytes;
    const uint32_t *words;
    int32_t row_stride;
} sqm_conv2d_rows;

/** acc[0 ... tile - 1] += x times taps at, at + 1, ... of so many rows of weights; k is a multiple
 * of `multiple`, see sqm_pairs_1x4. */
SQM_INLINE void sqm_conv2d_dot(int32_t tile, const int8_t *x, int32_t input_offset,
                               sqm_conv2d_rows rows, int32_t at, int32_t k, int32_t multiple,
                               int32_t acc[4])
{
    if (rows.pairs != NULL) {
        rows.pairs(x, input_offset, rows.words + 2 * at, k, multiple, acc);
    } else if (tile == SQM_CONV2D_TILE) {
        sqm_dot_s8_w8_1x4__c(x, input_offset, rows.bytes + at, rows.row_stride, k, acc);
    } else {
        acc[0] += sqm_dot_s8_w8_1x1__c(x, input_offset, (const uint8_t *)rows.bytes + at, k);
    }
}

/** One output pixel: taps outside the image contribute 0, as if x were the zero point there. */
SQM_INLINE void sqm_conv2d_pixel(const sqm_conv2d_params *p, int32_t tile, const int8_t *input,
                                 sqm_conv2d_rows rows, int32_t top, sqm_taps vertical, int32_t left,
                                 int32_t acc[4])
{
    const int32_t channels = p->input_channels;
    const sqm_taps horizontal = sqm_axis_taps(sqm_conv2d_horizontal(p), left);

    for (int32_t ky = vertical.first; ky < vertical.last; ++ky) {
        const int32_t row = (top + ky * p->dilation_height) * p->input_width;
        const int32_t column = left + horizontal.first * p->dilation_width;
        const int8_t *x = input + (row + column) * channels;
        int32_t at = (ky * p->window_width + horizontal.first) * channels;
        if (p->dilation_width == 1) {
            /* Neighbouring taps are neighbours in memory: one run per row of the window. Where
             * there are few channels, most runs are worth unrolling as a whole. */
            const int32_t run = (horizontal.last - horizontal.first) * channels;
            const int32_t whole = p->window_width * channels;
            if (rows.pairs != NULL && channels < SQM_CONV2D_FEW_CHANNELS && run == whole) {
                sqm_conv2d_dot(tile, x, p->input_offset, rows, at, whole, whole, acc);
            } else {
                sqm_conv2d_dot(tile, x, p->input_offset, rows, at, run, channels, acc);
            }
        } else {
            for (int32_t n = horizontal.last - horizontal.first; n > 0; --n) {
                sqm_conv2d_dot(tile, x, p->input_offset, rows, at, channels, channels, acc);
                x += p->dilation_width * channels;
                at += channels;
            }
        }
    }
}

/** Output channels channel ... channel + tile - 1 of some pixels. */
SQM_INLINE void sqm_conv2d_channels(const sqm_conv2d_params *p, sqm_conv2d_pixels pixels,
                                    int32_t tile, int32_t channel, const int8_t *input,
                                    sqm_conv2d_rows rows, const int32_t *bias,
                                    const int32_t *multiplier, const int8_t *shift, int8_t *output)
{
    int8_t *out = output + channel +
                  (pixels.first_row * p->output_width + pixels.first_column) * p->output_channels;

    for (int32_t oy = pixels.first_row; oy < pixels.last_row; ++oy) {
        const int32_t top = sqm_axis_origin(sqm_conv2d_vertical(p), oy);
        const sqm_taps vertical = sqm_axis_taps(sqm_conv2d_vertical(p), top);
        for (int32_t ox = pixels.first_column; ox < pixels.last_column; ++ox) {
            const int32_t left = sqm_axis_origin(sqm_conv2d_horizontal(p), ox);
            int32_t acc[SQM_CONV2D_TILE] = {bias[channel], 0, 0, 0};
            if (tile == SQM_CONV2D_TILE) {
                acc[1] = bias[channel + 1];
                acc[2] = bias[channel + 2];
                acc[3] = bias[channel + 3];
            }
            sqm_conv2d_pixel(p, tile, input, rows, top, vertical, left, acc);
            /* Written out: an array that is indexed by a variable would live in memory. */
#define SQM_CONV2D_STORE(j)                                                                        \
    out[j] = sqm_requantize_code(acc[j], multiplier[channel + (j)], shift[channel + (j)],          \
                                 p->output_offset, p->output_minimum, p->output_maximum)
            SQM_CONV2D_STORE(0);
            if (tile == SQM_CONV2D_TILE) {
                SQM_CONV2D_STORE(1);
                SQM_CONV2D_STORE(2);
                SQM_CONV2D_STORE(3);
            }
#undef SQM_CONV2D_STORE
            out += p->output_channels;
        }
    }
}

/** Four packed rows to the words of sqm_pairs_1x4; `staging` is k bytes. */
SQM_INLINE void sqm_conv2d_pair_up(sqm_unpack_1x1 *unpack, const uint8_t *rows, int32_t row_bytes,
                                   int32_t k, const int8_t *steps, uint32_t *words, int8_t *staging)
{
    for (int32_t j = 0; j < SQM_CONV2D_TILE; ++j) {
        uint32_t *to = words + j / 2;
        unpack(rows + j * row_bytes, k, steps == NULL ? 1 : steps[j], staging);
        for (int32_t i = 0; i < k; ++i) {
            const int32_t weight = staging[i];
            *to = j % 2 == 0 ? (uint32_t)weight : *to + ((uint32_t)weight << 16);
            to += 2;
        }
    }
}

SQM_INLINE int32_t sqm_minimum(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/** The pixels of tile `index`, counted along the rows. */
SQM_INLINE sqm_conv2d_pixels sqm_conv2d_tile(const sqm_conv2d_params *p, int32_t index)
{
    const int32_t across = (p->output_width + p->tile_width - 1) / p->tile_width;
    const int32_t row = index / across * p->tile_height;
    const int32_t column = index % across * p->tile_width;

    return (sqm_conv2d_pixels){row, sqm_minimum(row + p->tile_height, p->output_height), column,
                               sqm_minimum(column + p->tile_width, p->output_width)};
}

/**
 * @param[in]  unpack      of the weights' width; NULL for 8 bits, which are read where they are.
 * @param[in]  pairs       of the weights' width below 8 bits, from four output channels on; or
 * NULL.
 * @param[in]  input       input_height * input_width * input_channels codes.
 * @param[in]  weights     output_channels rows of row_bytes.
 * @param[in]  steps       per output channel, see sqm_unpack_1x1; NULL where all are 1 (8 bits).
 * @param[in]  bias        per output channel, TFLite's: the input's zero point is not folded in.
 * @param[in]  multiplier  per output channel, with shift: accumulator to output, see requantize.h.
 * @param      scratch     with `pairs` 9 bytes a tap of a channel, aligned to words; below four
 *                         channels or without it min(4, output_channels) unpacked rows; not used
 *                         for 8 bits.
 * @param[out] output      output_height * output_width * output_channels codes; may overlap the
 *                         input as far as the tiles allow.
 */
SQM_INLINE void sqm_conv2d(const sqm_conv2d_params *p, sqm_unpack_1x1 *unpack, sqm_pairs_1x4 *pairs,
                           const int8_t *input, const uint8_t *weights, const int8_t *steps,
                           const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                           int8_t *scratch, int8_t *output)
{
    const int32_t k = p->window_height * p->window_width * p->input_channels;
    const int32_t tile = p->output_channels < SQM_CONV2D_TILE ? 1 : SQM_CONV2D_TILE;
    const int32_t tiles = (p->output_height + p->tile_height - 1) / p->tile_height *
                          ((p->output_width + p->tile_width - 1) / p->tile_width);

    for (int32_t i = 0; i < tiles; ++i) {
        const sqm_conv2d_pixels pixels =
            sqm_conv2d_tile(p, sqm_part_in_turn(i, tiles, p->downwards));
        for (int32_t next = 0; next < p->output_channels; next += tile) {
            /* The last channels begin early enough to be a whole block: computing up to three twice
             * takes less time than three single ones would, and less code than a second nest. */
            const int32_t latest = p->output_channels - tile;
            const int32_t channel = next < latest ? next : latest;
            const uint8_t *packed = weights + channel * p->row_bytes;
            const int8_t *means = steps == NULL ? NULL : steps + channel;
            sqm_conv2d_rows rows = {pairs, (const int8_t *)packed,
                                    (const uint32_t *)(void *)scratch, k};
            if (pairs != NULL) {
                sqm_conv2d_pair_up(unpack, packed, p->row_bytes, k, means,
                                   (uint32_t *)(void *)scratch, scratch + 8 * k);
            } else if (unpack != NULL) {
                for (int32_t j = 0; j < tile; ++j) {
                    unpack(packed + j * p->row_bytes, k, means == NULL ? 1 : means[j],
                           scratch + j * k);
                }
                rows.bytes = scratch;
            }
            sqm_conv2d_channels(p, pixels, tile, channel, input, rows, bias, multiplier, shift,
                                output);
        }
    }
}

#endif
