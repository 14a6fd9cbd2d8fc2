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
    /* In one piece: between reading sp and painting, a compiler may save registers below that sp.
     */
#if defined(__riscv)
    __asm volatile("1:  bgeu %0, sp, 2f\n"
                   "    sw   %1, 0(%0)\n"
                   "    addi %0, %0, 4\n"
                   "    j    1b\n"
                   "2:\n"
                   : "+r"(word)
                   : "r"(PATTERN)
                   : "memory");
#else
    uintptr_t pointer; /* registers 0 to 7: Armv6-M has no other way to say this */
    __asm volatile("    .syntax unified\n"
                   "    mov  %1, sp\n"
                   "1:  cmp  %0, %1\n"
                   "    bhs  2f\n"
                   "    stmia %0!, {%2}\n"
                   "    b    1b\n"
                   "2:\n"
                   : "+l"(word), "=&l"(pointer)
                   : "l"(PATTERN)
                   : "cc", "memory");
#endif
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
