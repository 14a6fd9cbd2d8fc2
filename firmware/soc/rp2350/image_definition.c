/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot ROM looks for in the first 4 KB of flash: RP2350 Datasheet, "Minimum viable image
 * metadata"; words as by boot/picobin.h of pico-sdk 2.2.0. Without more it enters an Arm image
 * through the vector table at its start, and a RISC-V image at its start.
 */
#include <stdint.h>

#define BLOCK_START 0xFFFFDED3u
#define BLOCK_END   0xAB123579u

/* Item IMAGE_TYPE of one word: an executable for the RP2350. */
#if defined(__riscv)
#define IMAGE_TYPE 0x11010142u /* RISC-V */
#else
#define IMAGE_TYPE 0x10210142u /* Arm, secure */
#endif
#define LAST_ITEM 0x000001FFu /* after one word of items */
#define NEXT      0u          /* distance to the next block: this one is alone */

__attribute__((section(".sqm_image_definition"), used)) static const uint32_t definition[] = {
    BLOCK_START, IMAGE_TYPE, LAST_ITEM, NEXT, BLOCK_END,
};
