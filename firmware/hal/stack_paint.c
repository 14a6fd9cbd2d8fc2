/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How deep the stack has been: it is filled with a pattern, and what has lost it was used.
 * A frame that was reserved and never written is not seen; the toolchain computes the worst case.
 */
#include "sqm/hal.h"

#define PATTERN 0x5AC3A53Cu

/* From the linker script. */
extern uint32_t sqm_stack_limit[];
extern uint32_t sqm_stack_top[];

void sqm_stack_paint(void)
{
    uint32_t *word = sqm_stack_limit;
    uintptr_t pointer;
    /* In one piece: between reading sp and painting, a compiler may save registers below that sp.
     */
    __asm volatile("    mov  %1, sp\n"
                   "1:  cmp  %0, %1\n"
                   "    bhs  2f\n"
                   "    str  %2, [%0], #4\n"
                   "    b    1b\n"
                   "2:\n"
                   : "+r"(word), "=&r"(pointer)
                   : "r"(PATTERN)
                   : "cc", "memory");
}

uint32_t sqm_stack_used_bytes(void)
{
    const volatile uint32_t *word = sqm_stack_limit;
    while ((uintptr_t)word < (uintptr_t)sqm_stack_top && *word == PATTERN) {
        ++word;
    }
    return (uint32_t)((uintptr_t)sqm_stack_top - (uintptr_t)word);
}

uint32_t sqm_stack_reserved_bytes(void)
{
    return (uint32_t)((uintptr_t)sqm_stack_top - (uintptr_t)sqm_stack_limit);
}
