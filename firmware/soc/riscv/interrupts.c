/* SPDX-License-Identifier: Apache-2.0 */
/* mstatus.MIE: RISC-V Privileged Architecture. */
#include "sqm/hal.h"

#define MSTATUS_MIE 8

void sqm_interrupts_disable(void)
{
    __asm volatile("csrci mstatus, %0" ::"i"(MSTATUS_MIE) : "memory");
}

void sqm_interrupts_enable(void)
{
    __asm volatile("csrsi mstatus, %0" ::"i"(MSTATUS_MIE) : "memory");
}
