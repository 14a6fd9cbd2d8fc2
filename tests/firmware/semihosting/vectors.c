/*
 * What newlib's semihosting start-up leaves to the program on a Cortex-M: the first two vectors. A
 * fault finds no handler, and QEMU ends with a lockup message.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdint.h>

#define STACK_TOP 0x20400000u /* the end of the SRAM in mps2_an386.ld */

void _start(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t stack_top;
    void (*reset)(void);
} vectors = {STACK_TOP, _start};
