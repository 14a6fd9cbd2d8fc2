/*
 * Four dot products of 8-bit weights on ARMv6-M, which loads and multiplies in eight registers
 * alone: x, the ends of four rows and the index are six of them, one activation and one weight the
 * others, and the sums lie in the upper registers, where numbers can be added.
 *
 *   a tap and four channels: LDRSB x 2, ADD 1, 4 (LDRSB 2, MULS 1, ADD 1), index 1: 20 cycles on a
 *   Cortex-M0+, and 2 or 3 to loop every second; compiled C took 40.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_THUMB_DOT_1X4_H
#define SQM_THUMB_DOT_1X4_H

#include <stdint.h>

#include "sqm/compiler.h"

#if defined(__thumb__) && !defined(__thumb2__)
#define SQM_HAS_THUMB_DOT_1X4 1

/** r6 = x, r7 = a weight, r4 = the index, ip = the offset. */
#define SQM_ASM_DOT_1X4_TAP                                                                        \
    "ldrsb r6, [r0, r4]\n"                                                                         \
    "add r6, ip\n"                                                                                 \
    "ldrsb r7, [r2, r4]\n"                                                                         \
    "muls r7, r6\n"                                                                                \
    "add r8, r7\n"                                                                                 \
    "ldrsb r7, [r1, r4]\n"                                                                         \
    "muls r7, r6\n"                                                                                \
    "add r9, r7\n"                                                                                 \
    "ldrsb r7, [r5, r4]\n"                                                                         \
    "muls r7, r6\n"                                                                                \
    "add r10, r7\n"                                                                                \
    "ldrsb r7, [r3, r4]\n"                                                                         \
    "muls r7, r6\n"                                                                                \
    "add r11, r7\n"                                                                                \
    "adds r4, #1\n"

/** See sqm_dot_1x4: r0 = x, r1 = input_offset, r2 = w, r3 = row_stride; on the stack k, acc. */
SQM_NAKED void sqm_thumb_dot_1x4(SQM_IN_ASM const int8_t *x, SQM_IN_ASM int32_t input_offset,
                                 SQM_IN_ASM const int8_t *w, SQM_IN_ASM int32_t row_stride,
                                 SQM_IN_ASM int32_t k, SQM_IN_ASM int32_t acc[4])
{
    /* clang-format off */
    __asm__(
        ".syntax unified\n"
        "push {r4-r7, lr}\n"
        "mov r4, r8\n"
        "mov r5, r9\n"
        "mov r6, r10\n"
        "mov r7, r11\n"
        "push {r4-r7}\n"
        "ldr r4, [sp, #36]\n"
        "cmp r4, #0\n"
        "ble 9f\n"
        "ldr r5, [sp, #40]\n"
        "ldmia r5!, {r6, r7}\n"
        "mov r8, r6\n"
        "mov r9, r7\n"
        "ldmia r5!, {r6, r7}\n"
        "mov r10, r6\n"
        "mov r11, r7\n"
        "mov ip, r1\n"
        "adds r0, r0, r4\n"
        "adds r2, r2, r4\n"
        "adds r1, r2, r3\n"
        "adds r5, r1, r3\n"
        "adds r3, r5, r3\n"
        "lsls r6, r4, #31\n"
        "rsbs r4, r4, #0\n"
        "cmp r6, #0\n"
        "bne 2f\n" /* an odd number of taps begins in the middle */
        "1:\n"
        SQM_ASM_DOT_1X4_TAP
        "2:\n"
        SQM_ASM_DOT_1X4_TAP
        "bne 1b\n"
        "ldr r5, [sp, #40]\n"
        "mov r0, r8\n"
        "mov r1, r9\n"
        "mov r2, r10\n"
        "mov r3, r11\n"
        "stmia r5!, {r0-r3}\n"
        "9:\n"
        "pop {r4-r7}\n"
        "mov r8, r4\n"
        "mov r9, r5\n"
        "mov r10, r6\n"
        "mov r11, r7\n"
        "pop {r4-r7, pc}\n");
    /* clang-format on */
}

#undef SQM_ASM_DOT_1X4_TAP

#else
#define SQM_HAS_THUMB_DOT_1X4 0
#endif

#endif
