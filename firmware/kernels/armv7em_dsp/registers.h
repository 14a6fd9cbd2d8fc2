/*
 * Assembly that keeps words in the FPU's registers: a VMOV takes one cycle, a load two. Where code
 * is compiled without the FPU, the words lie on the stack instead.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_REGISTERS_H
#define SQM_ARMV7EM_DSP_REGISTERS_H

/**
 * A function whose body is one asm statement: it keeps the procedure call standard by itself.
 * Parameters are read from r0 ... r3, so the compiler must not miss their use.
 */
#if defined(__clang__)
#define SQM_NAKED static __attribute__((naked, noinline, unused, aligned(4)))
#else
#define SQM_NAKED static __attribute__((naked, noipa, unused, aligned(4)))
#endif
#define SQM_IN_ASM __attribute__((unused))

/** What SQM_PARK may use between SQM_ENTER and SQM_LEAVE: slots 0 ... 15. */
#if defined(__ARM_FP) || defined(__ARM_VFPV4__)
#define SQM_ENTER           "push.w {r4-r11, lr}\n"
#define SQM_LEAVE           "pop.w {r4-r11, pc}\n"
#define SQM_PARK(slot, reg) "vmov s" #slot ", " #reg "\n"
#define SQM_TAKE(reg, slot) "vmov " #reg ", s" #slot "\n"
#else
#define SQM_ENTER                                                                                  \
    "push.w {r4-r11, lr}\n"                                                                        \
    "sub.w sp, sp, #64\n"
#define SQM_LEAVE                                                                                  \
    "add.w sp, sp, #64\n"                                                                          \
    "pop.w {r4-r11, pc}\n"
#define SQM_PARK(slot, reg) "str.w " #reg ", [sp, #4 * " #slot "]\n"
#define SQM_TAKE(reg, slot) "ldr.w " #reg ", [sp, #4 * " #slot "]\n"
#endif

#endif
