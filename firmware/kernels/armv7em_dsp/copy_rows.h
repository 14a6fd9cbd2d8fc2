/*
 * Bytes from rows of an image to rows elsewhere, and bytes of one value.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_COPY_ROWS_H
#define SQM_ARMV7EM_DSP_COPY_ROWS_H

#include <stdint.h>

#include "kernels/armv7em_dsp/registers.h"

/**
 * Rows of bytes, of any length, to others.
 *
 * @param      run      bytes of a row, not 0.
 * @param      rows     at least 1.
 * @param      skip     bytes from the end of a row to the start of the next,
 * @param      to_skip  and of its copy.
 * @return  where a row behind the last would go.
 */
SQM_NAKED int8_t *sqm_copy_rows(SQM_IN_ASM int8_t *to, SQM_IN_ASM const int8_t *from,
                                SQM_IN_ASM int32_t run, SQM_IN_ASM int32_t rows,
                                SQM_IN_ASM int32_t skip, SQM_IN_ASM int32_t to_skip)
{
    /* clang-format off */
    __asm__(
        "push.w {r4-r7, lr}\n"
        "ldrd r4, lr, [sp, #20]\n"
        "lsr.w r5, r2, #2\n"
        /* The first round leaves out -words % 4 of the loop's four steps, 8 bytes each. */
        "rsb.w r6, r5, #0\n"
        "and.w r6, r6, #3\n"
        "adr.w r7, 2f\n"
        "add.w r7, r7, r6, lsl #3\n"
        "orr.w r7, r7, #1\n"
        "1:\n"
        "movs.w r12, r5\n"
        "beq.w 3f\n"
        "bx r7\n"
        ".balign 4\n"
        "2:\n"
        ".rept 4\n"
        "ldr.w r6, [r1], #4\n"
        "str.w r6, [r0], #4\n"
        ".endr\n"
        "subs.w r12, r12, #4\n"
        "bgt.w 2b\n"
        "3:\n"
        "tst.w r2, #2\n"
        "beq.w 4f\n"
        "ldrh.w r6, [r1], #2\n"
        "strh.w r6, [r0], #2\n"
        "4:\n"
        "tst.w r2, #1\n"
        "beq.w 5f\n"
        "ldrb.w r6, [r1], #1\n"
        "strb.w r6, [r0], #1\n"
        "5:\n"
        "add.w r1, r1, r4\n"
        "add.w r0, r0, lr\n"
        "subs.w r3, r3, #1\n"
        "bne.w 1b\n"
        "pop.w {r4-r7, pc}\n"
        ::: "memory");
    /* clang-format on */
}

/** Bytes of one value from `to` up to `end`. */
SQM_NAKED void sqm_fill(SQM_IN_ASM int8_t *to, SQM_IN_ASM const int8_t *end,
                        SQM_IN_ASM int32_t value)
{
    /* clang-format off */
    __asm__(
        "and.w r2, r2, #255\n"
        "orr.w r2, r2, r2, lsl #8\n"
        "orr.w r2, r2, r2, lsl #16\n"
        "b.w 2f\n"
        "1:\n"
        "str.w r2, [r0], #4\n"
        "str.w r2, [r0], #4\n"
        "2:\n"
        "sub.w r3, r1, r0\n"
        "cmp.w r3, #8\n"
        "bge.w 1b\n"
        "b.w 4f\n"
        "3:\n"
        "strb.w r2, [r0], #1\n"
        "4:\n"
        "cmp.w r0, r1\n"
        "bne.w 3b\n"
        "bx lr\n"
        ::: "memory");
    /* clang-format on */
}

#endif
