/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The low half of mcycle (RISC-V Privileged Architecture). A core that comes
 * out of reset with the counter inhibited has it released in its sqm_soc_start.
 */
#include "sqm/hal.h"

#define SOURCE_NONE   0
#define SOURCE_MCYCLE 3

static uint8_t source;

void sqm_cycles_start(void)
{
    const uint32_t before = sqm_cycles_now();
    for (volatile int32_t i = 0; i < 8; ++i) {
    }
    source = sqm_cycles_now() != before ? SOURCE_MCYCLE : SOURCE_NONE;
}

__attribute__((noinline)) uint32_t sqm_cycles_now(void)
{
    uint32_t cycles;
    __asm volatile("csrr %0, mcycle" : "=r"(cycles)::"memory");
    return cycles;
}

uint8_t sqm_cycles_source(void)
{
    return source;
}
