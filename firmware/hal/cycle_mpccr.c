/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The performance counter that the ESP32-C3 has in place of mcycle: event select 0x7E0, mode 0x7E1,
 * count 0x7E2 (CSR_PCER_MACHINE and its neighbours in rv_utils.h of ESP-IDF).
 */
#include "sqm/hal.h"

#define EVENT_CYCLE  1u
#define MODE_COUNT   1u
#define SOURCE_NONE  0
#define SOURCE_MPCCR 4

static uint8_t source;

void sqm_cycles_start(void)
{
    __asm volatile("csrw 0x7E0, %0\n\t"
                   "csrw 0x7E2, zero\n\t"
                   "csrw 0x7E1, %1" ::"r"(EVENT_CYCLE),
                   "r"(MODE_COUNT)
                   : "memory");
    const uint32_t before = sqm_cycles_now();
    for (volatile int32_t i = 0; i < 8; ++i) {
    }
    source = sqm_cycles_now() != before ? SOURCE_MPCCR : SOURCE_NONE;
}

__attribute__((noinline)) uint32_t sqm_cycles_now(void)
{
    uint32_t cycles;
    __asm volatile("csrr %0, 0x7E2" : "=r"(cycles)::"memory");
    return cycles;
}

uint8_t sqm_cycles_source(void)
{
    return source;
}
