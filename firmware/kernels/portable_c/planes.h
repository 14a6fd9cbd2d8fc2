/*
 * Codes below 8 bits out of bit planes, and the three microkernel families on top of them. The
 * widths w6 ... w2 are these functions with two constants: the bits per code in the high plane
 * (signed) and in the low plane (unsigned, 0 where there is none). Layout "linear", drawn in
 * ../README.md.
 *
 * Both planes are walked together, eight codes at a time: eight codes of p bits are p whole bytes.
 * A row's remainder is read code by code, so no byte beyond a plane is touched.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_PORTABLE_C_PLANES_H
#define SQM_PORTABLE_C_PLANES_H

#include <stdint.h>

#include "sqm/compiler.h"

/** Bytes that a plane of codes of some bits takes. */
SQM_INLINE int32_t sqm_plane_bytes(int32_t codes, int32_t bits)
{
    return (int32_t)(((uint32_t)codes * (uint32_t)bits + 7u) >> 3);
}

/** Bits [position, position + bits) of a word, as a two's complement number. */
SQM_INLINE int32_t sqm_signed_field(uint32_t word, int32_t position, int32_t bits)
{
    return (int32_t)(word << (32 - bits - position)) >> (32 - bits);
}

/** Code i of words that hold the codes' high and low parts from bit 0 on. */
SQM_INLINE int32_t sqm_code_in_words(uint32_t high, uint32_t low, int32_t high_bits,
                                     int32_t low_bits, int32_t i)
{
    const int32_t top = sqm_signed_field(high, i * high_bits, high_bits);
    const uint32_t rest = (low >> (i * low_bits)) & ((1u << low_bits) - 1u);
    return (int32_t)((uint32_t)top << low_bits | rest);
}

/** Code `index` of two planes, whatever its position. */
SQM_INLINE int32_t sqm_code_in_planes(const uint8_t *high, const uint8_t *low, int32_t high_bits,
                                      int32_t low_bits, int32_t index)
{
    const int32_t high_at = index * high_bits;
    const int32_t low_at = index * low_bits;
    const uint32_t top = (uint32_t)high[high_at >> 3] >> (high_at & 7);
    const uint32_t rest = low_bits > 0 ? (uint32_t)low[low_at >> 3] >> (low_at & 7) : 0;
    return sqm_code_in_words(top, rest, high_bits, low_bits, 0);
}

/** Eight codes' part of a plane of 4, 2, 1 or 0 bits, code 0 from bit 0 on. */
SQM_INLINE uint32_t sqm_load_eight(const uint8_t *plane, int32_t bits)
{
    switch (bits) {
    case 4:
        return sqm_load_u32(plane);
    case 2:
        return sqm_load_u16(plane);
    case 1:
        return plane[0];
    default:
        return 0;
    }
}

/** The weight that a code stands for: v, -v or 2v + 1. */
SQM_INLINE int8_t sqm_weight(int32_t code, int32_t step)
{
    return (int8_t)(code * step + (step == 2));
}

/** See sqm_dot_1x1. */
SQM_INLINE int32_t sqm_dot_planes(const int8_t *x, int32_t input_offset, const uint8_t *row,
                                  int32_t k, int32_t high_bits, int32_t low_bits)
{
    const uint8_t *high = row;
    const uint8_t *low = row + sqm_plane_bytes(k, high_bits);
    int32_t sum = 0;

    for (; k >= 8; k -= 8) {
        const uint32_t tops = sqm_load_eight(high, high_bits);
        const uint32_t rests = sqm_load_eight(low, low_bits);
        sum += (x[0] + input_offset) * sqm_code_in_words(tops, rests, high_bits, low_bits, 0);
        sum += (x[1] + input_offset) * sqm_code_in_words(tops, rests, high_bits, low_bits, 1);
        sum += (x[2] + input_offset) * sqm_code_in_words(tops, rests, high_bits, low_bits, 2);
        sum += (x[3] + input_offset) * sqm_code_in_words(tops, rests, high_bits, low_bits, 3);
        sum += (x[4] + input_offset) * sqm_code_in_words(tops, rests, high_bits, low_bits, 4);
        sum += (x[5] + input_offset) * sqm_code_in_words(tops, rests, high_bits, low_bits, 5);
        sum += (x[6] + input_offset) * sqm_code_in_words(tops, rests, high_bits, low_bits, 6);
        sum += (x[7] + input_offset) * sqm_code_in_words(tops, rests, high_bits, low_bits, 7);
        x += 8;
        high += high_bits;
        low += low_bits;
    }
    for (int32_t i = 0; i < k; ++i) {
        sum += (x[i] + input_offset) * sqm_code_in_planes(high, low, high_bits, low_bits, i);
    }
    return sum;
}

/** See sqm_unpack_1x1. */
SQM_INLINE void sqm_unpack_planes(const uint8_t *row, int32_t k, int32_t step, int8_t *out,
                                  int32_t high_bits, int32_t low_bits)
{
    const uint8_t *high = row;
    const uint8_t *low = row + sqm_plane_bytes(k, high_bits);

    for (; k >= 8; k -= 8) {
        const uint32_t tops = sqm_load_eight(high, high_bits);
        const uint32_t rests = sqm_load_eight(low, low_bits);
        out[0] = sqm_weight(sqm_code_in_words(tops, rests, high_bits, low_bits, 0), step);
        out[1] = sqm_weight(sqm_code_in_words(tops, rests, high_bits, low_bits, 1), step);
        out[2] = sqm_weight(sqm_code_in_words(tops, rests, high_bits, low_bits, 2), step);
        out[3] = sqm_weight(sqm_code_in_words(tops, rests, high_bits, low_bits, 3), step);
        out[4] = sqm_weight(sqm_code_in_words(tops, rests, high_bits, low_bits, 4), step);
        out[5] = sqm_weight(sqm_code_in_words(tops, rests, high_bits, low_bits, 5), step);
        out[6] = sqm_weight(sqm_code_in_words(tops, rests, high_bits, low_bits, 6), step);
        out[7] = sqm_weight(sqm_code_in_words(tops, rests, high_bits, low_bits, 7), step);
        out += 8;
        high += high_bits;
        low += low_bits;
    }
    for (int32_t i = 0; i < k; ++i) {
        out[i] = sqm_weight(sqm_code_in_planes(high, low, high_bits, low_bits, i), step);
    }
}

/** See sqm_pick_1x1. */
SQM_INLINE void sqm_pick_planes(const uint8_t *plane, int32_t elements, int32_t first,
                                int32_t stride, int32_t count, int32_t step, int8_t *out,
                                int32_t high_bits, int32_t low_bits)
{
    const uint8_t *low = plane + sqm_plane_bytes(elements, high_bits);

    for (int32_t i = 0, index = first; i < count; ++i, index += stride) {
        out[i] = sqm_weight(sqm_code_in_planes(plane, low, high_bits, low_bits, index), step);
    }
}

#endif
