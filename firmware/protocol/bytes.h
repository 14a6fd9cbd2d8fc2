/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian integers in byte buffers, at any alignment and on a core of either endianness. */
#ifndef SQM_PROTOCOL_BYTES_H
#define SQM_PROTOCOL_BYTES_H

#include <stdint.h>

static inline uint16_t sqm_get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | (uint32_t)from[1] << 8);
}

static inline uint32_t sqm_get_u32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/** @return the byte after the last one written, as the others below. */
static inline uint8_t *sqm_put_u8(uint8_t *to, uint8_t value)
{
    *to = value;
    return to + 1;
}

static inline uint8_t *sqm_put_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value & 0xFFu);
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static inline uint8_t *sqm_put_u32(uint8_t *to, uint32_t value)
{
    return sqm_put_u16(sqm_put_u16(to, (uint16_t)(value & 0xFFFFu)), (uint16_t)(value >> 16));
}

#endif
