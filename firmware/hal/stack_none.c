/* SPDX-License-Identifier: Apache-2.0 */
/* For a host, whose operating system gives and guards the stack. */
#include "sqm/hal.h"

void sqm_stack_paint(void)
{
}

uint32_t sqm_stack_used_bytes(void)
{
    return 0;
}

uint32_t sqm_stack_reserved_bytes(void)
{
    return 0;
}
