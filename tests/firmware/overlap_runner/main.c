/*
 * Runs one nest after another twice, its output apart from its input and then at a distance from
 * it in the same bytes, and writes one byte for each: 1 iff both outputs are equal, for
 * several draws of the data.
 *
 *   stdin: records of a header, then `words` int32: the params of the nest in the order of its
 *   struct. Written by tests/unit/kernels/test_overlap_in_c.py.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/operators/add.h"
#include "kernels/operators/concatenate.h"
#include "kernels/operators/conv2d.h"
#include "kernels/operators/dense.h"
#include "kernels/operators/depthwise_conv2d.h"
#include "kernels/operators/mean.h"
#include "kernels/operators/pad2d.h"
#include "kernels/operators/pieces.h"
#include "kernels/operators/pool2d.h"
#include "kernels/operators/rescale.h"
#include "kernels/operators/sigmoid.h"
#include "kernels/operators/softmax.h"
#include "kernels/portable_c/meta.h"

enum {
    ADD,
    ADD_TWICE,
    AVERAGE_POOL2D,
    CONCATENATE,
    CONV2D_W8,
    CONV2D_W4,
    DENSE,
    DEPTHWISE_CONV2D,
    MAX_POOL2D,
    MEAN,
    PAD2D,
    PIECES,
    RESCALE,
    SIGMOID,
    SOFTMAX
};

typedef struct {
    int32_t nest;
    int32_t distance; /* start of the output less start of the input */
    int32_t input_bytes;
    int32_t output_bytes;
    int32_t weight_bytes;
    int32_t words;
} header;

#define LARGEST 65536
#define WORDS   64
#define DRAWS   4

/* Everything but input and output is the same in both runs. */
static int8_t input[LARGEST];
static int8_t other[LARGEST];
static uint8_t weights[LARGEST];
static int32_t bias[256];
static int32_t multiplier[256];
static int8_t shift[256];
static _Alignas(8) int8_t scratch[LARGEST];
static int8_t arena[3 * LARGEST];
static int8_t apart[LARGEST];

static uint32_t drawn(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return state >> 16;
}

static void draw(void *bytes, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        ((uint8_t *)bytes)[i] = (uint8_t)drawn();
    }
}

/** The parts of a concatenation in order; part `shown` is the one that may overlap. */
static void concatenate(const int32_t *words, const int8_t *in, int8_t *out)
{
    const int32_t slices = words[0];
    const int32_t whole = words[1];
    const int32_t shown = words[2];
    const int32_t parts = words[3];
    int32_t offset = 0;

    for (int32_t i = 0; i < parts; ++i) {
        const int32_t part = words[4 + i];
        sqm_concatenate_part(slices, part, whole, offset, i == shown ? in : other, out);
        offset += part;
    }
}

/** A nest of which each output depends on all codes under its window, whatever their values. */
static int32_t of_window(const sqm_pieces *p, const sqm_piece *piece, const int8_t *codes,
                         int32_t row, int32_t column, int32_t channel)
{
    const int32_t top = row * p->stride_height - piece->rows.pad;
    const int32_t left = column * p->stride_width - piece->columns.pad;
    int32_t sum = channel;

    for (int32_t y = top; y < top + p->extent_height; ++y) {
        for (int32_t x = left; x < left + p->extent_width; ++x) {
            if (y < 0 || y >= piece->rows.inputs || x < 0 || x >= piece->columns.inputs) {
                continue;
            }
            for (int32_t c = 0; c < p->input_channels; ++c) {
                const int32_t code = codes[(y * piece->columns.inputs + x) * p->input_channels + c];
                sum += code + (code >> 4); /* odd in either half of a byte */
            }
        }
    }
    return sum & 15;
}

/** Words: sqm_pieces, then the bits of the input and of the output. */
static void pieces(const int32_t *words, const int8_t *in, int8_t *out)
{
    const sqm_pieces *const p = (const sqm_pieces *)words;
    const int32_t *const bits = words + sizeof *p / sizeof *words;
    const int32_t codes = p->output_height * p->output_width * p->output_channels;
    int8_t *const taken = scratch;
    int8_t *const computed = scratch + LARGEST / 2;

    for (int32_t i = 0; i < p->pieces; ++i) {
        const sqm_piece piece = sqm_piece_at(p, i);
        int8_t *to = computed;

        sqm_piece_take(p, &piece, bits[0], in, taken);
        for (int32_t row = 0; row < piece.rows.outputs; ++row) {
            for (int32_t column = 0; column < piece.columns.outputs; ++column) {
                for (int32_t channel = 0; channel < p->output_channels; ++channel) {
                    *to++ = (int8_t)of_window(p, &piece, taken, row, column, channel);
                }
            }
        }
        sqm_piece_put(p, &piece, bits[1], computed, out);
    }
    if (bits[1] == 4 && codes % 2 != 0) {
        out[codes / 2] &= 15; /* of the last byte half is nobody's */
    }
}

static void run(const header *h, const int32_t *words, const int8_t *in, int8_t *out)
{
    switch (h->nest) {
    case ADD:
        sqm_add((const sqm_add_params *)words, in, other, out);
        break;
    case ADD_TWICE:
        sqm_add((const sqm_add_params *)words, in, in, out);
        break;
    case AVERAGE_POOL2D:
        sqm_average_pool2d((const sqm_pool2d_params *)words, in, out);
        break;
    case CONCATENATE:
        concatenate(words, in, out);
        break;
    case CONV2D_W8:
        sqm_conv2d((const sqm_conv2d_params *)words, NULL, NULL, in, weights, NULL, bias,
                   multiplier, shift, NULL, out);
        break;
    case CONV2D_W4:
        sqm_conv2d((const sqm_conv2d_params *)words, sqm_unpack_s8_w4_1x1__c,
                   ((const sqm_conv2d_params *)words)->output_channels < SQM_CONV2D_TILE
                       ? NULL
                       : sqm_pairs_s8_w4_1x4__c,
                   in, weights, NULL, bias, multiplier, shift, scratch, out);
        break;
    case DENSE:
        sqm_dense((const sqm_dense_params *)words, sqm_dot_s8_w8_1x1__c, in, weights, NULL, bias,
                  multiplier, shift, out);
        break;
    case DEPTHWISE_CONV2D:
        sqm_depthwise_conv2d((const sqm_depthwise_conv2d_params *)words, sqm_pick_s8_w8_1x1__c, in,
                             weights, NULL, bias, multiplier, shift, scratch, out);
        break;
    case MAX_POOL2D:
        sqm_max_pool2d((const sqm_pool2d_params *)words, in, out);
        break;
    case MEAN:
        sqm_mean((const sqm_mean_params *)words, in, out);
        break;
    case PAD2D:
        sqm_pad2d((const sqm_pad2d_params *)words, in, out);
        break;
    case PIECES:
        pieces(words, in, out);
        break;
    case RESCALE:
        sqm_rescale((const sqm_rescale_params *)words, in, out);
        break;
    case SIGMOID:
        sqm_sigmoid((const sqm_sigmoid_params *)words, in, out);
        break;
    case SOFTMAX:
        sqm_softmax((const sqm_softmax_params *)words, in, out);
        break;
    default:
        abort();
    }
}

static int equal(const header *h, const int32_t *words)
{
    int8_t *const in = arena + LARGEST;
    int8_t *const out = in + h->distance;

    draw(input, h->input_bytes);
    draw(other, LARGEST / 16);
    draw(weights, h->weight_bytes);
    for (int32_t i = 0; i < 256; ++i) {
        bias[i] = (int32_t)(drawn() % 2001u) - 1000;
        multiplier[i] = (int32_t)(0x40000000u + (drawn() << 8));
        shift[i] = -7;
    }
    run(h, words, input, apart);
    memcpy(in, input, (size_t)h->input_bytes);
    run(h, words, in, out);
    return memcmp(out, apart, (size_t)h->output_bytes) == 0;
}

int main(void)
{
    header h;
    int32_t words[WORDS];

    while (fread(&h, sizeof h, 1, stdin) == 1) {
        if (h.words > WORDS || h.input_bytes > LARGEST || h.output_bytes > LARGEST ||
            h.weight_bytes > LARGEST ||
            fread(words, sizeof words[0], (size_t)h.words, stdin) != (size_t)h.words) {
            return EXIT_FAILURE;
        }
        int good = 1;
        for (int i = 0; i < DRAWS; ++i) {
            good &= equal(&h, words);
        }
        putchar(good);
    }
    return EXIT_SUCCESS;
}
