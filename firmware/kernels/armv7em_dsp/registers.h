/*
 * Assembly that keeps words in the FPU's registers: a VMOV takes one cycle, a load two. Where code
 * is compiled without the FPU, the words lie on the stack instead.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_REGISTERS_H
#define SQM_ARMV7EM_DSP_REGISTERS_H

#include "sqm/compiler.h"

#if !defined(__ARM_FEATURE_DSP)
#error "needs DSP instructions: -mcpu=cortex-m4 or the like, or C generated for another board"
#endif

/**
 * SQM_BESIDE_ASM: a function in C, out of line, whose results assembly reads. gcc must not
 * specialise it: 12.2 takes a copy whose output pointer became a constant for one without side
 * effects, and drops the call.
 */
#if defined(__clang__)
#define SQM_BESIDE_ASM SQM_ANY_CALLER static __attribute__((noinline, unused))
#else
#define SQM_BESIDE_ASM static __attribute__((noipa, unused))
#endif

/**
 * SQM_ENTER and SQM_LEAVE save what a callee must. Between them are slots 0 ... 23. Between
 * SQM_ENTER_FEW and SQM_LEAVE_FEW are slots 0 ... 15, which need not be saved: 18 cycles less.
 */
#if defined(__ARM_FP) || defined(__ARM_VFPV4__)
#define SQM_ENTER_FEW "push.w {r4-r11, lr}\n"
#define SQM_LEAVE_FEW "pop.w {r4-r11, pc}\n"
#define SQM_ENTER                                                                                  \
    "push.w {r4-r11, lr}\n"                                                                        \
    "vpush {s16-s23}\n"
#define SQM_LEAVE                                                                                  \
    "vpop {s16-s23}\n"                                                                             \
    "pop.w {r4-r11, pc}\n"
#define SQM_PARK(slot, reg) "vmov s" #slot ", " #reg "\n"
#define SQM_TAKE(reg, slot) "vmov " #reg ", s" #slot "\n"
#else
#define SQM_ENTER_FEW                                                                              \
    "push.w {r4-r11, lr}\n"                                                                        \
    "sub.w sp, sp, #64\n"
#define SQM_LEAVE_FEW                                                                              \
    "add.w sp, sp, #64\n"                                                                          \
    "pop.w {r4-r11, pc}\n"
#define SQM_ENTER                                                                                  \
    "push.w {r4-r11, lr}\n"                                                                        \
    "sub.w sp, sp, #96\n"
#define SQM_LEAVE                                                                                  \
    "add.w sp, sp, #96\n"                                                                          \
    "pop.w {r4-r11, pc}\n"
#define SQM_PARK(slot, reg) "str.w " #reg ", [sp, #4 * " #slot "]\n"
#define SQM_TAKE(reg, slot) "ldr.w " #reg ", [sp, #4 * " #slot "]\n"
#endif

#endif
