/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consistent overhead byte stuffing (Cheshire and Baker 1999): bytes without a zero among them, so
 * that a zero can end a frame, at the price of one byte in 254.
 */
#ifndef SQM_PROTOCOL_COBS_H
#define SQM_PROTOCOL_COBS_H

#include <stdint.h>

/** Most bytes that `length` bytes become. */
#define SQM_COBS_MAX(length) ((length) + ((length) + 253) / 254 + ((length) == 0))

/**
 * Encode.
 *
 * @param[in]  data     length bytes.
 * @param[out] encoded  SQM_COBS_MAX(length) bytes, apart from data. No zero is among those written.
 * @return              bytes written, at least 1.
 */
uint32_t sqm_cobs_encode(const uint8_t *data, uint32_t length, uint8_t *encoded);

/**
 * Decode in place; the input comes from the link and may be anything.
 *
 * @param[in,out] data  length bytes, without the zero that ended the frame.
 * @return              decoded bytes, at most length; -1 iff this is no encoding of anything.
 */
int32_t sqm_cobs_decode(uint8_t *data, uint32_t length);

#endif
