/*
 * Dense layer on cores with DSP instructions: the input becomes one column of 16-bit numbers, which
 * every block of outputs runs over.
 *
 * The input is read, all of it, before the first output is written: output may be the input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_DENSE_H
#define SQM_ARMV7EM_DSP_DENSE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/general.h"
#include "kernels/armv7em_dsp/gemv.h"
#include "kernels/armv7em_dsp/instructions.h"
#include "kernels/kernel_api.h"
#include "sqm/compiler.h"

/**
 * inputs          of the layer, and filled up to `taps`.
 * block           outputs of a block: 4, or 8 for weights of 2 bits.
 * block_words     of a block's packed weights.
 * table_words     of a block's table.
 * head_words      that it begins with: 1, `round`, for weights of 2 bits, else 0.
 */
typedef struct {
    int32_t inputs;
    int32_t taps;
    int32_t outputs;
    int32_t block;
    int32_t block_words;
    int32_t table_words;
    int32_t head_words;
    int32_t output_offset;
    int32_t output_minimum;
    int32_t output_maximum;
} sqm_dense__armv7em_dsp_params;

/** x as a column of `taps` numbers, those behind `count` 0. Returns their sum. */
SQM_BESIDE_ASM int32_t sqm_dense_column(const int8_t *x, int32_t count, int32_t taps,
                                        uint32_t *column)
{
    int32_t sum = 0;

    for (; taps > 0; taps -= 4) {
        uint32_t word = 0;
        if (count >= 4) {
            word = sqm_load_u32((const uint8_t *)x);
        } else {
            for (int32_t i = 0; i < count; ++i) {
                word |= (uint32_t)(uint8_t)x[i] << 8 * i;
            }
        }
        column[0] = sqm_even_bytes(word);
        column[1] = sqm_odd_bytes(word);
        sum = sqm_add_products(sum, column[0], 0x00010001u);
        sum = sqm_add_products(sum, column[1], 0x00010001u);
        x += 4;
        count -= 4;
        column += 2;
    }
    return sum;
}

/**
 * @param      gemv     of the width.
 * @param[in]  input    `inputs` codes.
 * @param[in]  weights  blocks in the kernel's layout.
 * @param[in]  meaning  two words a block for widths of two planes, else NULL.
 * @param[in]  table    table_words a block.
 * @param      scratch  2 * taps bytes.
 * @param[out] output   `outputs` codes.
 */
SQM_INLINE void sqm_dense__armv7em_dsp(const sqm_dense__armv7em_dsp_params *p, sqm_gemv_block *gemv,
                                       const int8_t *input, const uint32_t *weights,
                                       const uint32_t *meaning, const int32_t *table,
                                       int8_t *scratch, int8_t *output)
{
    const int32_t own_words = p->table_words - p->head_words;
    const int32_t blocks = (p->outputs + p->block - 1) / p->block;
    uint32_t *const column = (uint32_t *)(void *)scratch;
    sqm_gemv g;
    int32_t sums[8];

    g.column = column;
    g.column_end = column + p->taps / 2;
    g.quads = p->taps / 4;
    g.zero_point = p->output_offset;
    g.taps_sum = sqm_dense_column(input, p->inputs, p->taps, column);
    for (int32_t block = 0; block < blocks; block += g.blocks) {
        const int32_t left = p->outputs - block * p->block;
        const int32_t *next = table + (block + 1) * p->table_words;
        g.weights = weights + block * p->block_words;
        if (p->head_words != 0) {
            g.round = table[block * p->table_words];
        }
        g.table = table + block * p->table_words + p->head_words;
        g.output = output + block * p->block;
        g.blocks = 1;
        g.sums = NULL;
        if (meaning != NULL) {
            g.meaning = meaning + 2 * block;
        }
        if (!sqm_general_block(g.table, own_words, p->block)) {
            /* Neighbours go together. */
            while (block + g.blocks < blocks && (p->head_words == 0 || *next == g.round) &&
                   !sqm_general_block(next + p->head_words, own_words, p->block)) {
                ++g.blocks;
                next += p->table_words;
            }
            gemv(&g);
        } else {
            const sqm_general general = {.scaling = g.table + own_words - 2 * p->block,
                                         .block = p->block,
                                         .channels = left < p->block ? left : p->block,
                                         .offset = p->output_offset,
                                         .minimum = p->output_minimum,
                                         .maximum = p->output_maximum};
            g.sums = sums;
            gemv(&g);
            sqm_general_codes(&general, sums, 1, g.output, 0);
        }
    }
}

#endif
