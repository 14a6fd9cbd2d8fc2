/*
 * Operators that read or write activations of 4 bits: piece by piece of the output. What a piece
 * reads is unpacked into scratch, as a small image of its own, the operator's nest computes the
 * piece from it into scratch, and the result is packed.
 *
 * So no kernel knows of packed codes, and all are as fast as they are. A piece reads all that it
 * reads before it writes; bytes whose halves belong to two pieces keep the other half. How far
 * output may overlay input follows, see sq_micro/kernels/walks.py.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_PIECES_H
#define SQM_OPERATORS_PIECES_H

#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/operators/copy_codes.h"
#include "kernels/operators/packed_codes.h"

/**
 * Geometry of an operator. Elementwise ones take a tensor for a row of pixels of one channel.
 *
 * extent_*   input rows and columns from a window's first tap to its last.
 * piece_*    of the output; piece_width is output_width, unless piece_height is 1.
 * pieces     how many there are.
 * downwards  1: they are computed from the last to the first; else 0.
 */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t output_height;
    int32_t output_width;
    int32_t output_channels;
    int32_t extent_height;
    int32_t extent_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t pad_top;
    int32_t pad_left;
    int32_t piece_height;
    int32_t piece_width;
    int32_t pieces;
    int32_t downwards;
} sqm_pieces;

/** Part of an axis: its outputs, the inputs that they read, and padding before these. */
typedef struct {
    int32_t output;
    int32_t outputs;
    int32_t input;
    int32_t inputs;
    int32_t pad;
} sqm_piece_axis;

typedef struct {
    sqm_piece_axis rows;
    sqm_piece_axis columns;
    int32_t pixels;
} sqm_piece;

/** The inputs of `outputs` windows from `output` on, on an axis of `size` inputs. */
SQM_INLINE sqm_piece_axis sqm_piece_part(int32_t output, int32_t outputs, int32_t size,
                                         int32_t extent, int32_t stride, int32_t pad)
{
    const int32_t origin = output * stride - pad;
    const int32_t behind = origin + (outputs - 1) * stride + extent;
    const int32_t first = origin < 0 ? 0 : origin;
    const int32_t end = behind < size ? behind : size;

    return (sqm_piece_axis){output, outputs, first, end < first ? 0 : end - first, first - origin};
}

/** Piece `index` in the order in which they are computed. */
SQM_SHARED sqm_piece sqm_piece_at(const sqm_pieces *p, int32_t index)
{
    const int32_t across = (p->output_width + p->piece_width - 1) / p->piece_width;
    const int32_t at = p->downwards ? p->pieces - 1 - index : index;
    const int32_t row = at / across * p->piece_height;
    const int32_t column = at % across * p->piece_width;
    const int32_t rows =
        p->output_height - row < p->piece_height ? p->output_height - row : p->piece_height;
    const int32_t columns =
        p->output_width - column < p->piece_width ? p->output_width - column : p->piece_width;

    return (sqm_piece){
        sqm_piece_part(row, rows, p->input_height, p->extent_height, p->stride_height, p->pad_top),
        sqm_piece_part(column, columns, p->input_width, p->extent_width, p->stride_width,
                       p->pad_left),
        rows * columns};
}

/** What a piece reads of a tensor of `bits` bits, to int8 codes: an image of its own. */
SQM_OUT_OF_LINE void sqm_piece_take(const sqm_pieces *p, const sqm_piece *piece, int32_t bits,
                                    const int8_t *tensor, int8_t *codes)
{
    const int32_t run = piece->columns.inputs * p->input_channels;
    const int32_t row = p->input_width * p->input_channels;
    int32_t first = piece->rows.input * row + piece->columns.input * p->input_channels;

    for (int32_t y = 0; y < piece->rows.inputs; ++y) {
        if (bits == 4) {
            sqm_unpack_codes(tensor, first, run, codes);
        } else {
            sqm_copy_codes(tensor + first, run, codes);
        }
        codes += run;
        first += row;
    }
}

/** A piece's codes to the tensor, of `bits` bits, that they are a part of. */
SQM_OUT_OF_LINE void sqm_piece_put(const sqm_pieces *p, const sqm_piece *piece, int32_t bits,
                                   const int8_t *codes, int8_t *tensor)
{
    const int32_t run = piece->columns.outputs * p->output_channels;
    const int32_t row = p->output_width * p->output_channels;
    int32_t first = piece->rows.output * row + piece->columns.output * p->output_channels;

    for (int32_t y = 0; y < piece->rows.outputs; ++y) {
        if (bits == 4) {
            sqm_pack_codes(codes, run, tensor, first);
        } else {
            sqm_copy_codes(codes, run, tensor + first);
        }
        codes += run;
        first += row;
    }
}

#endif
