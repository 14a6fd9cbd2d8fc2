/*
 * Activations of 4 bits at rest: codes 0 to 15, two a byte, the first in the lower half.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_PACKED_CODES_H
#define SQM_OPERATORS_PACKED_CODES_H

#include <stdint.h>

#include "sqm/compiler.h"

/** Code `i` of a packed tensor. */
SQM_INLINE int32_t sqm_packed_code(const int8_t *packed, int32_t i)
{
    return ((uint8_t)packed[i / 2] >> (i % 2 * 4)) & 15;
}

/** Replaces code `i`; the other code of its byte stays. */
SQM_INLINE void sqm_packed_set(int8_t *packed, int32_t i, int32_t code)
{
    const int32_t shift = i % 2 * 4;
    const int32_t other = (uint8_t)packed[i / 2] & (0xF0 >> shift);
    packed[i / 2] = (int8_t)(other | SQM_SATURATE_U4(code) << shift);
}

/** Four packed codes to four bytes. */
SQM_INLINE uint32_t sqm_unpack_four(uint32_t packed)
{
    const uint32_t pairs = (packed | packed << 8) & 0x00FF00FFu;
    return (pairs | pairs << 4) & 0x0F0F0F0Fu;
}

/** Codes first, first + 1, ... of a packed tensor to `count` int8 codes. */
SQM_INLINE void sqm_unpack_codes(const int8_t *packed, int32_t first, int32_t count, int8_t *codes)
{
    const uint8_t *from = (const uint8_t *)packed + (first + 1) / 2;

    if (first % 2 != 0 && count > 0) {
        *codes++ = (int8_t)sqm_packed_code(packed, first);
        --count;
    }
    for (; count >= 8; count -= 8) {
        const uint32_t eight = sqm_load_u32(from);
        sqm_store_u32((uint8_t *)codes, sqm_unpack_four(eight & 0xFFFFu));
        sqm_store_u32((uint8_t *)codes + 4, sqm_unpack_four(eight >> 16));
        from += 4;
        codes += 8;
    }
    for (int32_t i = 0; i < count; ++i) {
        codes[i] = (int8_t)sqm_packed_code((const int8_t *)from, i);
    }
}

/** The inverse; codes beyond 0 and 15 become 0 and 15, which spares kernels that clamp. */
SQM_INLINE void sqm_pack_codes(const int8_t *codes, int32_t count, int8_t *packed, int32_t first)
{
    int8_t *to = packed + (first + 1) / 2;

    if (first % 2 != 0 && count > 0) {
        sqm_packed_set(packed, first, *codes++);
        --count;
    }
    for (; count >= 2; count -= 2) {
        *to++ = (int8_t)(SQM_SATURATE_U4(codes[0]) | SQM_SATURATE_U4(codes[1]) << 4);
        codes += 2;
    }
    if (count > 0) {
        sqm_packed_set(to, 0, *codes);
    }
}

#endif
