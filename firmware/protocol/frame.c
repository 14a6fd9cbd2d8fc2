/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame.h"

#include "protocol/bytes.h"
#include "protocol/crc32.h"

uint32_t sqm_frame_encode(uint8_t *payload, uint32_t body_bytes, uint8_t *wire)
{
    const uint32_t covered = SQM_FRAME_HEAD_BYTES + body_bytes;
    sqm_put_u32(payload + covered, sqm_crc32(payload, covered));
    const uint32_t encoded = sqm_cobs_encode(payload, covered + SQM_FRAME_CRC_BYTES, wire);
    wire[encoded] = 0;
    return encoded + 1;
}

int32_t sqm_frame_decode(uint8_t *wire, uint32_t wire_bytes)
{
    const int32_t decoded = sqm_cobs_decode(wire, wire_bytes);
    if (decoded < SQM_FRAME_HEAD_BYTES + SQM_FRAME_CRC_BYTES || decoded > SQM_FRAME_PAYLOAD_BYTES) {
        return -1;
    }
    const uint32_t covered = (uint32_t)decoded - SQM_FRAME_CRC_BYTES;
    if (sqm_crc32(wire, covered) != sqm_get_u32(wire + covered)) {
        return -1;
    }
    return (int32_t)covered - SQM_FRAME_HEAD_BYTES;
}
