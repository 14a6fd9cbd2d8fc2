/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Second stage of the RP2040's boot: what boot2.S assembles to, filled up to 252 bytes, and the
 * CRC-32 of that (polynomial 0x04C11DB7, most significant bit first, no final inversion, as
 * pad_checksum of pico-sdk).
 */
#include <stdint.h>

__attribute__((section(".sqm_boot"), used)) static const uint32_t second_stage[64] = {
    0x21004B09, 0x22046099, 0x4A08615A, 0x6059601A,        0x20F44A07, 0x2201501A,
    0x4806609A, 0x60084906, 0xF381C806, 0x47108808,        0x18000000, 0x001F0300,
    0x03000218, 0x10000100, 0xE000ED08, [63] = 0xF9C8BF0E,
};
