/* SPDX-License-Identifier: Apache-2.0 */
/* A process has its clocks, pins and interrupts set by others. */
#include "sqm/hal.h"

void sqm_soc_start(void)
{
}

void sqm_interrupts_disable(void)
{
}

void sqm_interrupts_enable(void)
{
}
