/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a run went wrong and why, told to the host. The system control registers are those of Arm
 * DDI 0403; Armv6-M has none of them, and sends zeros.
 */
#include "soc/cortex_m/fault.h"

#include "hal/register.h"
#include "soc/fault_report.h"

#define CFSR 0xE000ED28u
#define HFSR 0xE000ED2Cu
#define BFAR 0xE000ED38u

_Noreturn void sqm_fault_report(uint32_t pc, uint32_t lr);

_Noreturn void sqm_fault_report(uint32_t pc, uint32_t lr)
{
    uint32_t words[SQM_FAULT_MOST_WORDS] = {pc, lr, 0, 0, 0};
#if __ARM_ARCH > 6
    words[2] = SQM_REGISTER(CFSR);
    words[3] = SQM_REGISTER(HFSR);
    words[4] = SQM_REGISTER(BFAR);
#endif
    sqm_fault_send(words, SQM_FAULT_MOST_WORDS);
}

/*
 * The exception frame lies on the stack that was in use: EXC_RETURN bit 2 (DDI 0403). After an
 * overflow that stack is no memory, so the frame is read only where it lies inside the stack; pc
 * and lr are 0 otherwise. Then the stack starts anew from its top, for nothing returns from here
 * and the report needs room. Instructions of Armv6-M alone: all cores have them.
 */
__attribute__((naked)) void sqm_fault(void)
{
    __asm volatile("    .syntax unified\n"
                   "    mov   r0, lr\n"
                   "    movs  r1, #4\n"
                   "    mrs   r2, msp\n"
                   "    tst   r0, r1\n"
                   "    beq   2f\n"
                   "    mrs   r2, psp\n"
                   "2:  movs  r0, #0\n"
                   "    movs  r1, #0\n"
                   "    ldr   r3, =sqm_stack_limit\n"
                   "    cmp   r2, r3\n"
                   "    blo   1f\n"
                   "    ldr   r3, =sqm_stack_top\n"
                   "    subs  r3, r3, #32\n"
                   "    cmp   r2, r3\n"
                   "    bhi   1f\n"
                   "    ldr   r0, [r2, #24]\n"
                   "    ldr   r1, [r2, #20]\n"
                   "1:  ldr   r3, =sqm_stack_top\n"
                   "    msr   msp, r3\n"
                   "    bl    sqm_fault_report\n"
                   "    .ltorg\n");
}
