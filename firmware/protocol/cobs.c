/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cobs.h"

/* A block is a code byte and code - 1 bytes without a zero; a zero follows unless the code is 255.
 */
#define FULL_BLOCK 255u

uint32_t sqm_cobs_encode(const uint8_t *data, uint32_t length, uint8_t *encoded)
{
    uint32_t code_at = 0;
    uint32_t end = 1;
    for (uint32_t i = 0; i < length; ++i) {
        if (data[i] != 0) {
            encoded[end++] = data[i];
        }
        /* A full block at the very end is not followed by an empty one: it already says all. */
        if (data[i] == 0 || (end - code_at == FULL_BLOCK && i + 1 < length)) {
            encoded[code_at] = (uint8_t)(end - code_at);
            code_at = end++;
        }
    }
    encoded[code_at] = (uint8_t)(end - code_at);
    return end;
}

int32_t sqm_cobs_decode(uint8_t *data, uint32_t length)
{
    uint32_t in = 0;
    uint32_t out = 0;
    while (in < length) {
        const uint32_t code = data[in++];
        if (code == 0 || code - 1 > length - in) {
            return -1;
        }
        for (uint32_t i = 1; i < code; ++i) {
            const uint8_t byte = data[in++];
            if (byte == 0) {
                return -1;
            }
            data[out++] = byte;
        }
        if (code != FULL_BLOCK && in < length) {
            data[out++] = 0;
        }
    }
    return (int32_t)out;
}
