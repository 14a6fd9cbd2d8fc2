/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 as zlib, Ethernet and PNG have it: polynomial 0x04C11DB7 reflected, start and end
 * inverted. */
#ifndef SQM_PROTOCOL_CRC32_H
#define SQM_PROTOCOL_CRC32_H

#include <stdint.h>

/** CRC of length bytes; the CRC of "123456789" is 0xCBF43926. */
uint32_t sqm_crc32(const uint8_t *data, uint32_t length);

#endif
