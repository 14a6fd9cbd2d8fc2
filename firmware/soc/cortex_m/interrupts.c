/* SPDX-License-Identifier: Apache-2.0 */
/* PRIMASK, which keeps everything out but NMI and HardFault. */
#include "sqm/hal.h"

void sqm_interrupts_disable(void)
{
    __asm volatile("cpsid i" ::: "memory");
}

void sqm_interrupts_enable(void)
{
    __asm volatile("cpsie i" ::: "memory");
}
