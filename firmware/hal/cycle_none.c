/* SPDX-License-Identifier: Apache-2.0 */
/* For machines without a cycle counter. */
#include "sqm/hal.h"

void sqm_cycles_start(void)
{
}

__attribute__((noinline)) uint32_t sqm_cycles_now(void)
{
    return 0;
}

uint8_t sqm_cycles_source(void)
{
    return 0;
}
