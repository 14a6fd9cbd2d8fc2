/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: sequence, id, body and CRC-32, in COBS, ended by a zero. See PROTOCOL.md.
 */
#ifndef SQM_PROTOCOL_FRAME_H
#define SQM_PROTOCOL_FRAME_H

#include <stdint.h>

#include "protocol/cobs.h"

#define SQM_FRAME_HEAD_BYTES 2   /* sequence, id */
#define SQM_FRAME_BODY_BYTES 250 /* at most: with head and CRC a payload is at most 256 bytes */
#define SQM_FRAME_CRC_BYTES  4

#define SQM_FRAME_PAYLOAD_BYTES (SQM_FRAME_HEAD_BYTES + SQM_FRAME_BODY_BYTES + SQM_FRAME_CRC_BYTES)
#define SQM_FRAME_WIRE_BYTES    (SQM_COBS_MAX(SQM_FRAME_PAYLOAD_BYTES) + 1)

/**
 * Seal a payload and encode it.
 *
 * @param[in,out] payload  head and body; room for the CRC behind the body, which is written here.
 * @param         body_bytes  0..SQM_FRAME_BODY_BYTES.
 * @param[out]    wire     SQM_FRAME_WIRE_BYTES, apart from payload.
 * @return                 bytes for the wire, the ending zero included.
 */
uint32_t sqm_frame_encode(uint8_t *payload, uint32_t body_bytes, uint8_t *wire);

/**
 * Decode a frame in place and check it; the bytes come from the link and may be anything.
 *
 * @param[in,out] wire  wire_bytes bytes without the ending zero; afterwards sequence, id, body.
 * @return              bytes of the body; -1 iff the frame is damaged.
 */
int32_t sqm_frame_decode(uint8_t *wire, uint32_t wire_bytes);

#endif
