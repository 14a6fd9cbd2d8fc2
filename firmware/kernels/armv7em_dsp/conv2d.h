/*
 * 2D convolution on cores with DSP instructions: a tile of pixels becomes columns of 16-bit taps,
 * then block after block of four output channels runs over it.
 *
 * The inputs of a tile are read, all of them, before any of its outputs is written, and tiles go in
 * the order of the output's pixels: output may overlay input wherever no later tile still needs it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_CONV2D_H
#define SQM_ARMV7EM_DSP_CONV2D_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/columns.h"
#include "kernels/armv7em_dsp/gemm.h"
#include "kernels/armv7em_dsp/unpack.h"
#include "kernels/kernel_api.h"
#include "kernels/requantize.h"
#include "sqm/compiler.h"

/**
 * columns          geometry of the input.
 * pixels           of the output.
 * output_channels  of the output.
 * tile             pixels that are computed together, even.
 * block_words      of a block's packed weights.
 * block_general    the first block whose table holds multiplier and shift as requantize.h has them,
 *                  because a shift is above -2, the clamp is narrower than int8, or channels are
 * missing.
 */
typedef struct {
    sqm_columns_params columns;
    int32_t pixels;
    int32_t output_channels;
    int32_t tile;
    int32_t block_words;
    int32_t general_from;
    int32_t output_offset;
    int32_t output_minimum;
    int32_t output_maximum;
} sqm_conv2d__armv7em_dsp_params;

/** One block over the columns of `pixels` pixels, its sums requantized in C. */
SQM_INLINE void sqm_conv2d_general_block(const sqm_conv2d__armv7em_dsp_params *p, sqm_gemm *g,
                                         sqm_gemm_2x4 *gemm, int32_t channels, int32_t pixels)
{
    const int32_t *const t = g->table;
    const int32_t multiplier[4] = {t[2], t[5], t[7], t[10]};
    const int32_t shift[4] = {t[3], t[6], t[8], t[11]};
    int32_t sums[8];
    int8_t *out = g->output;

    g->sums = sums;
    for (; pixels > 0; pixels -= 2) {
        const int32_t wanted = pixels < 2 ? 1 : 2;
        gemm(g);
        for (int32_t i = 0; i < wanted; ++i) {
            for (int32_t j = 0; j < channels; ++j) {
                out[j] =
                    sqm_requantize_code(sums[4 * i + j], multiplier[j], shift[j], p->output_offset,
                                        p->output_minimum, p->output_maximum);
            }
            out += g->stride;
        }
        g->columns += 4 * g->quads;
    }
    g->sums = NULL;
}

/**
 * @param      unpack   of the weights' width; NULL for 8 bits, which are read where they are.
 * @param[in]  input    the image.
 * @param[in]  weights  blocks in layout lanes.
 * @param[in]  meaning  4 words a block, see sqm_unpack_lanes; NULL for 8 bits.
 * @param[in]  table    SQM_GEMM_TABLE_WORDS a block.
 * @param      scratch  columns of a tile (2 * taps bytes a pixel), 2 * taps bytes, and below 8 bits
 * a block's weights (4 * taps bytes).
 * @param[out] output   pixels * output_channels codes.
 */
SQM_INLINE void sqm_conv2d__armv7em_dsp(const sqm_conv2d__armv7em_dsp_params *p, sqm_gemm_2x4 *gemm,
                                        sqm_unpack_1x4 *unpack, const int8_t *input,
                                        const uint32_t *weights, const uint32_t *meaning,
                                        const int32_t *table, int8_t *scratch, int8_t *output)
{
    const int32_t taps = p->columns.taps;
    uint32_t *const unpacked = (uint32_t *)(void *)scratch;
    uint32_t *const columns = unpack == NULL ? unpacked : unpacked + taps;
    int8_t *const staging = (int8_t *)(columns + p->tile / 2 * taps);

    for (int32_t pixel = 0; pixel < p->pixels; pixel += p->tile) {
        const int32_t left = p->pixels - pixel;
        const int32_t count = left < p->tile ? left : p->tile;
        sqm_gemm g = {.stride = p->output_channels,
                      .quads = taps / 4,
                      .zero_point = p->output_offset,
                      .sums = NULL};

        sqm_columns_of(&p->columns, input, pixel, count, staging, columns);
        for (int32_t block = 0; block * 4 < p->output_channels; ++block) {
            const int32_t channels = p->output_channels - block * 4;
            g.weights = weights + block * p->block_words;
            g.columns = columns;
            g.columns_end = columns + count / 2 * taps;
            g.table = table + block * SQM_GEMM_TABLE_WORDS;
            g.output = output + pixel * p->output_channels + block * 4;
            if (unpack != NULL) {
                unpack(g.weights, meaning + block * 4, taps, unpacked);
                g.weights = unpacked;
            }
            if (block >= p->general_from) {
                sqm_conv2d_general_block(p, &g, gemm, channels < 4 ? channels : 4, count);
                continue;
            }
            if (count >= 2) {
                gemm(&g);
            }
            if (count % 2 != 0) {
                /* The last pixel is there twice, and its codes are written twice to one place. */
                g.output += (count - 1) * p->output_channels;
                g.columns = g.columns_end;
                g.columns_end += taps;
                g.stride = 0;
                gemm(&g);
                g.stride = p->output_channels;
            }
        }
    }
}

#endif
