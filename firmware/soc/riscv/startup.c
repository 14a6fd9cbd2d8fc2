/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From reset to main on an RV32 core in machine mode. The linker script puts sqm_entry where the
 * core, or the boot code before it, jumps to, and gives the symbols.
 */
#include <stdint.h>

#include "board_config.h"

extern uint32_t sqm_data_start[], sqm_data_end[];
extern const uint32_t sqm_data_load[];
extern uint32_t sqm_bss_start[], sqm_bss_end[];
extern uint32_t sqm_arena_start[], sqm_arena_end[]; /* in the fastest memory that holds it */
#ifdef SQM_MORE_ARENAS
extern uint32_t *const sqm_more_arenas[SQM_MORE_ARENAS][2]; /* where they begin and end */
#endif

int main(void);
void sqm_entry(void);
void sqm_reset(void);

/* A trap goes to sqm_trap from here on; mtvec's two low bits 0 say that all of them do. */
__attribute__((naked, used, section(".sqm_vectors"))) void sqm_entry(void)
{
    __asm volatile("    la    t0, sqm_trap\n"
                   "    csrw  mtvec, t0\n"
                   "    la    sp, sqm_stack_top\n"
                   "    j     sqm_reset\n");
}

static void clear(uint32_t *from, const uint32_t *end)
{
    for (; (uintptr_t)from < (uintptr_t)end; ++from) {
        *from = 0;
    }
}

__attribute__((used)) void sqm_reset(void)
{
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
