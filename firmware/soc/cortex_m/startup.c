/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From reset to main on any ARMv7-M core. The linker script gives the symbols; see
 * codegen_templates/build/linker.ld.j2. VTOR stays as it is: the table lies where the core looks.
 */
#include "board_config.h"
#include "hal/register.h"
#include "soc/cortex_m/fault.h"

extern uint32_t sqm_stack_top[];
extern uint32_t sqm_data_start[], sqm_data_end[];
extern const uint32_t sqm_data_load[];
extern uint32_t sqm_bss_start[], sqm_bss_end[];
extern uint32_t sqm_arena_start[], sqm_arena_end[]; /* in the fastest memory that holds it */
#ifdef SQM_MORE_ARENAS
extern uint32_t *const sqm_more_arenas[SQM_MORE_ARENAS][2]; /* where they begin and end */
#endif

int main(void);
void sqm_reset(void);

typedef void (*handler)(void);

/* The vector table of Arm DDI 0403. No interrupt is ever enabled, so the table ends with the core's
 * own exceptions, and whichever of those comes is a fault. */
typedef struct {
    uint32_t *stack_top;
    handler reset;
    handler exception[14]; /* 2 NMI to 15 SysTick */
} vector_table;

__attribute__((section(".sqm_vectors"), used)) static const vector_table vectors = {
    .stack_top = sqm_stack_top,
    .reset = sqm_reset,
    .exception = {sqm_fault, sqm_fault, sqm_fault, sqm_fault, sqm_fault, sqm_fault, sqm_fault,
                  sqm_fault, sqm_fault, sqm_fault, sqm_fault, sqm_fault, sqm_fault, sqm_fault},
};

#if SQM_HAS_FPU
#define CPACR 0xE000ED88u /* Arm DDI 0403, Coprocessor Access Control Register */

static void enable_fpu(void)
{
    sqm_register_change(CPACR, 0xFu << 20, 0xFu << 20); /* full access to CP10 and CP11 */
    __asm volatile("dsb\n\tisb" ::: "memory");
}
#endif

static void clear(uint32_t *from, const uint32_t *end)
{
    for (; (uintptr_t)from < (uintptr_t)end; ++from) {
        *from = 0;
    }
}

void sqm_reset(void)
{
#if SQM_HAS_FPU
    enable_fpu(); /* before any code that the compiler may have given FPU registers to */
#endif
    const uint32_t *from = sqm_data_load;
    for (uint32_t *to = sqm_data_start; (uintptr_t)to < (uintptr_t)sqm_data_end; ++to, ++from) {
        *to = *from;
    }
    clear(sqm_bss_start, sqm_bss_end);
    clear(sqm_arena_start, sqm_arena_end);
#ifdef SQM_MORE_ARENAS
    for (uint32_t i = 0; i < SQM_MORE_ARENAS; ++i) {
        clear(sqm_more_arenas[i][0], sqm_more_arenas[i][1]);
    }
#endif
    main();
    for (;;) { /* main ends on a host only */
    }
}
