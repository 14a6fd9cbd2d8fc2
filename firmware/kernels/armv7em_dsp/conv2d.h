/*
 * 2D convolution on cores with DSP instructions: a tile of pixels becomes columns of 16-bit taps,
 * then block after block of output channels runs over it.
 *
 * The inputs of a tile are read, all of them, before any of its outputs is written, and tiles go in
 * the order of the output's pixels, or backwards: output may overlay input wherever no later tile
 * still needs it (sq_micro/kernels/walks.py).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_CONV2D_H
#define SQM_ARMV7EM_DSP_CONV2D_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/columns.h"
#include "kernels/armv7em_dsp/gemm.h"
#include "kernels/armv7em_dsp/general.h"
#include "kernels/kernel_api.h"
#include "sqm/compiler.h"

/**
 * columns         geometry of the input.
 * pixels          of the output.
 * tile            pixels that are computed together, even.
 * downwards       1: the tiles are computed from the last to the first; else 0.
 * block           channels of a block: 4, or 8 for weights of 2 bits.
 * block_words     of a block's packed weights.
 * unpacked_words  of a block's weights where they are unpacked, else 0.
 * table_words     of a block's table.
 * head_words      that it begins with: 1, `round`, for weights of 2 bits, else 0.
 * taps_sums       2 where the kernel wants each pixel's sum of taps, else 0.
 */
typedef struct {
    sqm_columns_params columns;
    int32_t pixels;
    int32_t output_channels;
    int32_t tile;
    int32_t downwards;
    int32_t block;
    int32_t block_words;
    int32_t unpacked_words;
    int32_t table_words;
    int32_t head_words;
    int32_t taps_sums;
    int32_t output_offset;
    int32_t output_minimum;
    int32_t output_maximum;
} sqm_conv2d__armv7em_dsp_params;

/** One block of channels over a tile's columns, requantized in C. */
SQM_INLINE void sqm_conv2d_general_block(const sqm_conv2d__armv7em_dsp_params *p, sqm_gemm *g,
                                         sqm_gemm_block *gemm, int32_t channels, int32_t pixels)
{
    const sqm_general general = {.scaling =
                                     g->table + p->table_words - p->head_words - 2 * p->block,
                                 .block = p->block,
                                 .channels = channels < p->block ? channels : p->block,
                                 .offset = p->output_offset,
                                 .minimum = p->output_minimum,
                                 .maximum = p->output_maximum};
    int32_t sums[16];
    int8_t *out = g->output;

    g->sums = sums;
    for (; pixels > 0; pixels -= 2) {
        gemm(g);
        sqm_general_codes(&general, sums, pixels < 2 ? 1 : 2, out, g->stride);
        out += 2 * g->stride;
        g->columns += p->taps_sums + p->columns.taps;
    }
    g->sums = NULL;
}

/** One tile: all blocks of channels over its columns, which are there. Parameters as below. */
SQM_INLINE void sqm_conv2d_blocks(const sqm_conv2d__armv7em_dsp_params *p, sqm_gemm_block *gemm,
                                  sqm_unpack_block *unpack, const uint32_t *weights,
                                  const uint32_t *meaning, const int32_t *table, int8_t *scratch,
                                  int8_t *output, int32_t count)
{
    const int32_t taps = p->columns.taps;
    const int32_t pair_words = p->taps_sums + taps;
    uint32_t *const unpacked = (uint32_t *)(void *)scratch;
    uint32_t *const columns = unpacked + p->unpacked_words;
    sqm_gemm g;

    g.stride = p->output_channels;
    g.quads = taps / 4;
    g.zero_point = p->output_offset;
    g.sums = NULL;
    for (int32_t block = 0; block * p->block < p->output_channels; ++block) {
        g.weights = weights + block * p->block_words;
        g.columns = columns;
        g.columns_end = columns + count / 2 * pair_words;
        if (p->head_words != 0) {
            g.round = table[block * p->table_words];
        }
        g.table = table + block * p->table_words + p->head_words;
        g.output = output + block * p->block;
        if (unpack != NULL) {
            unpack(g.weights, meaning == NULL ? NULL : meaning + 2 * block, taps, unpacked);
            g.weights = unpacked;
        }
        if (sqm_general_block(g.table, p->table_words - p->head_words, p->block)) {
            sqm_conv2d_general_block(p, &g, gemm, p->output_channels - block * p->block, count);
            continue;
        }
        if (count >= 2) {
            gemm(&g);
        }
        if (count % 2 != 0) {
            /* The last pixel is there twice, and its codes are written twice to one place. */
            g.output += (count - 1) * p->output_channels;
            g.columns = g.columns_end;
            g.columns_end += pair_words;
            g.stride = 0;
            gemm(&g);
            g.stride = p->output_channels;
        }
    }
}

/** sqm_conv2d_blocks with its microkernels, out of line. */
typedef void sqm_conv2d_blocks_of_tile(const sqm_conv2d__armv7em_dsp_params *p,
                                       const uint32_t *weights, const uint32_t *meaning,
                                       const int32_t *table, int8_t *scratch, int8_t *output,
                                       int32_t count);

/** As sqm_conv2d__armv7em_dsp; `tile` is NULL, or takes the place of both microkernels. */
SQM_INLINE void sqm_conv2d_tiles(const sqm_conv2d__armv7em_dsp_params *p,
                                 sqm_columns_block *columns_of, sqm_conv2d_blocks_of_tile *tile,
                                 sqm_gemm_block *gemm, sqm_unpack_block *unpack,
                                 const int8_t *input, const uint32_t *weights,
                                 const uint32_t *meaning, const int32_t *table, int8_t *scratch,
                                 int8_t *output)
{
    uint32_t *const columns = (uint32_t *)(void *)scratch + p->unpacked_words;
    const int32_t pair_words = p->taps_sums + p->columns.taps;
    int8_t *const staging = (int8_t *)(columns + p->tile / 2 * pair_words);
    const int32_t tiles = (p->pixels + p->tile - 1) / p->tile;

    for (int32_t i = 0; i < tiles; ++i) {
        const int32_t pixel = sqm_part_in_turn(i, tiles, p->downwards) * p->tile;
        const int32_t left = p->pixels - pixel;
        const int32_t count = left < p->tile ? left : p->tile;
        int8_t *const out = output + pixel * p->output_channels;

        columns_of(&p->columns, input, pixel, count, staging, columns);
        if (tile != NULL) {
            tile(p, weights, meaning, table, scratch, out, count);
        } else {
            sqm_conv2d_blocks(p, gemm, unpack, weights, meaning, table, scratch, out, count);
        }
    }
}

/**
 * @param      columns_of  of the geometry, with sums of taps where `taps_sums` says so.
 * @param      gemm        of the width; that of 8 bits where weights are unpacked to 8 bits.
 * @param      unpack      of the width; NULL where weights are read where they are.
 * @param[in]  input       the image.
 * @param[in]  weights     blocks in the kernel's layout.
 * @param[in]  meaning     two words a block for widths of two planes, else NULL.
 * @param[in]  table       table_words a block.
 * @param      scratch     unpacked weights, columns (2 * taps bytes a pixel, and 4 for its sum of
 *                         taps), and what columns_of wants; each where it is wanted.
 * @param[out] output      pixels * output_channels codes.
 */
SQM_INLINE void sqm_conv2d__armv7em_dsp(const sqm_conv2d__armv7em_dsp_params *p,
                                        sqm_columns_block *columns_of, sqm_gemm_block *gemm,
                                        sqm_unpack_block *unpack, const int8_t *input,
                                        const uint32_t *weights, const uint32_t *meaning,
                                        const int32_t *table, int8_t *scratch, int8_t *output)
{
    sqm_conv2d_tiles(p, columns_of, NULL, gemm, unpack, input, weights, meaning, table, scratch,
                     output);
}

#endif
