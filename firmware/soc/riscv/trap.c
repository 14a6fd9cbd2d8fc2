/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind every trap: no interrupt is ever enabled, so it is a fault. RISC-V Privileged
 * Architecture: mepc, mcause, mtval.
 */
#include "soc/fault_report.h"

#define TRAP_WORDS 4

void sqm_trap(void);
_Noreturn void sqm_trap_report(uint32_t pc, uint32_t ra, uint32_t cause, uint32_t value);

__attribute__((used)) _Noreturn void sqm_trap_report(uint32_t pc, uint32_t ra, uint32_t cause,
                                                     uint32_t value)
{
    const uint32_t words[TRAP_WORDS] = {pc, ra, cause, value};
    sqm_fault_send(words, TRAP_WORDS);
}

/* The stack starts anew from its top, for nothing returns from here and the report needs room. On
 * the ESP32-C3 mtvec holds 256-byte addresses, of which linker.ld has one here. */
__attribute__((naked, used, section(".sqm_trap"))) void sqm_trap(void)
{
    __asm volatile("    csrr  a0, mepc\n"
                   "    mv    a1, ra\n"
                   "    csrr  a2, mcause\n"
                   "    csrr  a3, mtval\n"
                   "    la    sp, sqm_stack_top\n"
                   "    j     sqm_trap_report\n");
}
