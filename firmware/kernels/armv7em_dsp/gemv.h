/*
 * A column times blocks of output channels: the inner loops of dense. Layouts and tables are those
 * of gemm; each weight is used once, so all widths are decoded on the way, 6, 5 and 3 bits in
 * gemv_planes.h.
 *
 *             instructions   cycles
 *   8 bits    27             39        per 32 multiplications
 *   4 bits    30             38        per 32
 *   2 bits    18             22        per 32, and 21 and 24 after every 160 ... 256
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_GEMV_H
#define SQM_ARMV7EM_DSP_GEMV_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/gemm.h"

/**
 * Blocks of outputs; the assembly knows the offsets, which are those of sqm_gemm.
 *
 * weights     of the blocks, one behind the other.
 * column      quads * 2 words: taps 0 and 2, then 1 and 3 of each four.
 * table       of the blocks.
 * output      the first code.
 * blocks      at least 1.
 * quads       groups of four taps, a multiple of the kernel's k_multiple / 4.
 * column_end  behind the column.
 * zero_point  of the output.
 * sums        NULL, or where the sums of ONE block are written instead of codes.
 * taps_sum    of the column; 8 bits do without.
 * round       as for gemm, the same for all blocks.
 * meaning     of codes, two words a block: of weights of 6, 5 and 3 bits alone.
 */
typedef struct sqm_gemv {
    const uint32_t *weights;
    const uint32_t *column;
    const int32_t *table;
    int8_t *output;
    int32_t blocks;
    int32_t quads;
    const uint32_t *column_end;
    int32_t zero_point;
    int32_t *sums;
    int32_t taps_sum;
    int32_t round;
    const uint32_t *meaning;
} sqm_gemv;

_Static_assert(sizeof(void *) != 4 || offsetof(sqm_gemv, meaning) == 44, "as the assembly has it");

/** The next block, from label 1 on, or the end; r0 = its table, `channels` codes lie at `output`.
 */
/* clang-format off */
#define SQM_ASM_NEXT_BLOCK(output, channels, leave)                                \
    SQM_PARK(3, r0)                                                                \
    "add.w " #output ", " #output ", #" #channels "\n"                             \
    SQM_PARK(4, output)                                                            \
    SQM_TAKE(r2, 6)                                                                \
    "subs.w r2, r2, #1\n"                                                          \
    SQM_PARK(6, r2)                                                                \
    "bne.w 1b\n"                                                                   \
    leave
/* clang-format on */

/** The sums r4-r7 to codes; r0 = their m and s. */
/* clang-format off */
#define SQM_ASM_FOUR_OUTPUTS(requantize)                                           \
    SQM_TAKE(r1, 5)                                                                \
    "ldmia.w r0!, {r2, r3, r8-r12, lr}\n"                                          \
    requantize(r4, r2, r3, r1)                                                     \
    requantize(r5, r8, r9, r1)                                                     \
    requantize(r6, r10, r11, r1)                                                   \
    requantize(r7, r12, lr, r1)                                                    \
    SQM_TAKE(r1, 4)                                                                \
    "strb.w r4, [r1]\n"                                                            \
    "strb.w r5, [r1, #1]\n"                                                        \
    "strb.w r6, [r1, #2]\n"                                                        \
    "strb.w r7, [r1, #3]\n"                                                        \
    SQM_ASM_NEXT_BLOCK(r1, 4, SQM_LEAVE_FEW)
/* clang-format on */

/** The sums r4-r7 to codes or sums, as SQM_ASM_CHOOSE_END chose. */
/* clang-format off */
#define SQM_ASM_FOUR_OUTPUTS_END                                                   \
    SQM_TAKE(r12, 14)                                                              \
    "bx r12\n"                                                                     \
    ".balign 4\n"                                                                  \
    "5:\n"                                                                         \
    SQM_ASM_FOUR_OUTPUTS(SQM_ASM_REQUANTIZE_LOW)                                   \
    "4:\n"                                                                         \
    SQM_ASM_FOUR_OUTPUTS(SQM_ASM_REQUANTIZE)                                       \
    "3:\n"                                                                         \
    SQM_TAKE(r2, 9)                                                                \
    "stm.w r2, {r4-r7}\n"                                                          \
    SQM_LEAVE_FEW
/* clang-format on */

/** Even sums in r4 and r6, of both in r5 and r7, to codes or sums; then the next block, or the end.
 */
/* clang-format off */
#define SQM_ASM_PAIRS_END                                                          \
    SQM_TAKE(r0, 3)                                                                \
    "sub.w r5, r5, r4\n"                                                           \
    "sub.w r7, r7, r6\n"                                                           \
    "ldrd r2, r3, [r0, #8]\n"                                                      \
    "add.w r5, r2, r5, asr #8\n"                                                   \
    "add.w r7, r3, r7, asr #8\n"                                                   \
    "add.w r0, r0, #16\n"                                                          \
    SQM_ASM_FOUR_OUTPUTS_END
/* clang-format on */

/** Two channels and two taps `x`: even sum, sum of both. */
#define SQM_ASM_TWO_CHANNELS(w, x, even, both)                                                     \
    "smlad " #both ", " #w ", " #x ", " #both "\n"                                                 \
    "sxtb16 " #w ", " #w "\n"                                                                      \
    "smlad " #even ", " #w ", " #x ", " #even "\n"

/** Slot 11: the column. */
SQM_NAKED void sqm_gemv_s8_w8_1x4__armv7em_dsp(SQM_IN_ASM const sqm_gemv *g)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_GEMM_ENTER(SQM_ENTER_FEW)
        SQM_ASM_CHOOSE_END
        SQM_PARK(11, r1)
        /* The first round leaves out -eights % 4 of the loop's four, 108 bytes each. */
        "lsr.w r6, r6, #1\n"
        "rsb.w r4, r6, #0\n"
        "and.w r4, r4, #3\n"
        "mov.w r5, #108\n"
        "adr.w r12, 2f\n"
        "mla r12, r4, r5, r12\n"
        "orr.w r12, r12, #1\n"
        SQM_PARK(2, r12)
        ".balign 4\n"
        "1:\n"
        SQM_TAKE(r0, 3)
        SQM_TAKE(r1, 11)
        "ldrd r4, r6, [r0]\n"
        SQM_TAKE(r0, 0)
        SQM_TAKE(r12, 2)
        "mov.w r5, r4\n"
        "mov.w r7, r6\n"
        "bx r12\n"
        ".balign 4\n"
        "2:\n"
        ".rept 4\n"
        "ldmia.w r1!, {r2, r3, r12, lr}\n"
        "ldmia.w r0!, {r8-r11}\n"
        SQM_ASM_TWO_CHANNELS(r8, r2, r4, r5)
        SQM_ASM_TWO_CHANNELS(r9, r2, r6, r7)
        SQM_ASM_TWO_CHANNELS(r10, r3, r4, r5)
        SQM_ASM_TWO_CHANNELS(r11, r3, r6, r7)
        "ldmia.w r0!, {r8-r11}\n"
        SQM_ASM_TWO_CHANNELS(r8, r12, r4, r5)
        SQM_ASM_TWO_CHANNELS(r9, r12, r6, r7)
        SQM_ASM_TWO_CHANNELS(r10, lr, r4, r5)
        SQM_ASM_TWO_CHANNELS(r11, lr, r6, r7)
        ".endr\n"
        SQM_TAKE(r8, 7)
        "cmp.w r1, r8\n"
        "bne.w 2b\n"
        SQM_PARK(0, r0)
        SQM_ASM_PAIRS_END
        ::: "memory");
    /* clang-format on */
}

/** Four channels and two taps `x`. */
#define SQM_ASM_FOUR_CHANNELS(w, x)                                                                \
    "smlad r7, " #w ", " #x ", r7\n"                                                               \
    "bic.w " #w ", " #w ", #0xF000F000\n"                                                          \
    "smlad r6, " #w ", " #x ", r6\n"                                                               \
    "and.w " #w ", " #w ", #0x00FF00FF\n"                                                          \
    "smlad r5, " #w ", " #x ", r5\n"                                                               \
    "and.w " #w ", " #w ", #0x000F000F\n"                                                          \
    "smlad r4, " #w ", " #x ", r4\n"

/** Slot 11: the column. */
SQM_NAKED void sqm_gemv_s8_w4_1x4__armv7em_dsp(SQM_IN_ASM const sqm_gemv *g)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_GEMM_ENTER(SQM_ENTER_FEW)
        SQM_ASM_CHOOSE_END
        SQM_PARK(11, r1)
        /* The first round leaves out -eights % 4 of the loop's four, 120 bytes each. */
        "lsr.w r6, r6, #1\n"
        "rsb.w r4, r6, #0\n"
        "and.w r4, r4, #3\n"
        "mov.w r5, #120\n"
        "adr.w r12, 2f\n"
        "mla r12, r4, r5, r12\n"
        "orr.w r12, r12, #1\n"
        SQM_PARK(2, r12)
        ".balign 4\n"
        "1:\n"
        SQM_TAKE(r0, 3)
        SQM_TAKE(r1, 10)
        "ldm.w r0, {r2, r3, r8-r12, lr}\n"
        "mla r4, r10, r1, r2\n"
        "mla r5, r11, r1, r8\n"
        "mla r6, r12, r1, r3\n"
        "mla r7, lr, r1, r9\n"
        SQM_TAKE(r0, 0)
        SQM_TAKE(r1, 11)
        SQM_TAKE(r12, 2)
        "bx r12\n"
        ".balign 4\n"
        "2:\n"
        ".rept 4\n"
        "ldmia.w r1!, {r2, r3, r12, lr}\n"
        "ldmia.w r0!, {r8-r11}\n"
        SQM_ASM_FOUR_CHANNELS(r8, r2)
        SQM_ASM_FOUR_CHANNELS(r9, r3)
        SQM_ASM_FOUR_CHANNELS(r10, r12)
        SQM_ASM_FOUR_CHANNELS(r11, lr)
        ".endr\n"
        SQM_TAKE(r8, 7)
        "cmp.w r1, r8\n"
        "bne.w 2b\n"
        SQM_PARK(0, r0)
        SQM_TAKE(r0, 3)
        "sub.w r7, r7, r6\n"
        "sub.w r6, r6, r5\n"
        "sub.w r5, r5, r4\n"
        "asr.w r7, r7, #12\n"
        "asr.w r6, r6, #8\n"
        "asr.w r5, r5, #4\n"
        "add.w r0, r0, #32\n"
        SQM_ASM_FOUR_OUTPUTS_END
        ::: "memory");
    /* clang-format on */
}

/** Eight channels and two taps `x`; lr = 0xC003C003. */
#define SQM_ASM_EIGHT_CHANNELS(w, x)                                                               \
    "and.w r12, lr, " #w "\n"                                                                      \
    "smlad r4, r12, " #x ", r4\n"                                                                  \
    "and.w r12, lr, " #w ", ror #4\n"                                                              \
    "smlad r5, r12, " #x ", r5\n"                                                                  \
    "and.w r12, lr, " #w ", ror #8\n"                                                              \
    "smlad r6, r12, " #x ", r6\n"                                                                  \
    "and.w r12, lr, " #w ", ror #12\n"                                                             \
    "smlad r7, r12, " #x ", r7\n"

/** The even channel's share of a sum to its register, or to its slot. */
/* clang-format off */
#define SQM_ASM_TAKE_OUT(acc, even)                                                \
    "sbfx r2, " #acc ", #0, #14\n"                                                 \
    "sub.w " #acc ", " #acc ", r2\n"                                               \
    "add.w " #even ", " #even ", r2\n"
#define SQM_ASM_TAKE_OUT_TO_SLOT(acc, slot)                                        \
    SQM_TAKE(r3, slot)                                                             \
    SQM_ASM_TAKE_OUT(acc, r3)                                                      \
    SQM_PARK(slot, r3)
/* clang-format on */

/** The sum of a channel to r1, its word of the layout in r12; lr = sum of taps. */
#define SQM_ASM_TWO_BITS                                                                           \
    "ldmia.w r0!, {r1, r2, r3}\n"                                                                  \
    "mla r1, r2, lr, r1\n"                                                                         \
    "mla r1, r3, r12, r1\n"
/* clang-format off */
#define SQM_ASM_CODE(c)                                                            \
    "ldrd r2, r3, [r0, #84 - 4 * " #c "]\n"                                        \
    SQM_ASM_REQUANTIZE(r1, r2, r3, r10)                                            \
    "strb.w r1, [r11, #" #c "]\n"
/* clang-format on */
#define SQM_ASM_SUM(c) "str.w r1, [r8, #4 * " #c "]\n"
/* clang-format off */
#define SQM_ASM_TWO_OUTPUTS(finish, acc, slot, even, odd)                          \
    SQM_TAKE(r12, slot)                                                            \
    SQM_ASM_TWO_BITS                                                               \
    finish(even)                                                                   \
    "asr.w r12, " #acc ", #14\n"                                                   \
    SQM_ASM_TWO_BITS                                                               \
    finish(odd)
/* clang-format on */
/* clang-format off */
#define SQM_ASM_EIGHT_OUTPUTS(finish)                                              \
    SQM_ASM_TWO_OUTPUTS(finish, r4, 16, 0, 1)                                      \
    SQM_ASM_TWO_OUTPUTS(finish, r5, 17, 2, 3)                                      \
    SQM_ASM_TWO_OUTPUTS(finish, r6, 18, 4, 5)                                      \
    SQM_ASM_TWO_OUTPUTS(finish, r7, 19, 6, 7)
/* clang-format on */

/**
 * Slots: 11 the column, 12 entry of all rounds but the first, 16 ... 19 even channels' sums, the
 * first two in r10 and r11 within the loop.
 */
SQM_NAKED void sqm_gemv_s8_w2_1x8__armv7em_dsp(SQM_IN_ASM const sqm_gemv *g)
{
    /* clang-format off */
    __asm__(
        SQM_ASM_GEMM_ENTER(SQM_ENTER)
        SQM_PARK(11, r1)
        "ldr.w r11, [r0, #40]\n"
        /* The first round takes 1 + (quads - 1) % round of the loop's eight quads, 72 bytes each;
           the others take `round`. */
        "sub.w r6, r6, #1\n"
        "udiv r5, r6, r11\n"
        "mls r5, r5, r11, r6\n"
        "rsb.w r5, r5, #7\n"
        "rsb.w r11, r11, #8\n"
        "mov.w r4, #72\n"
        "adr.w r12, 2f\n"
        "orr.w r12, r12, #1\n"
        "mla r11, r4, r11, r12\n"
        "mla r12, r4, r5, r12\n"
        SQM_PARK(12, r11)
        SQM_PARK(2, r12)
        ".balign 4\n"
        "1:\n"
        SQM_TAKE(r0, 0)
        SQM_TAKE(r1, 11)
        SQM_TAKE(r12, 2)
        "movw lr, #0xC003\n"
        "movt lr, #0xC003\n"
        "mov.w r4, #0\n"
        "mov.w r5, #0\n"
        "mov.w r6, #0\n"
        "mov.w r7, #0\n"
        "mov.w r10, #0\n"
        "mov.w r11, #0\n"
        SQM_PARK(18, r4)
        SQM_PARK(19, r4)
        "bx r12\n"
        ".balign 4\n"
        "2:\n"
        ".rept 8\n"
        "ldmia.w r1!, {r2, r3}\n"
        "ldmia.w r0!, {r8, r9}\n"
        SQM_ASM_EIGHT_CHANNELS(r8, r2)
        SQM_ASM_EIGHT_CHANNELS(r9, r3)
        ".endr\n"
        SQM_ASM_TAKE_OUT(r4, r10)
        SQM_ASM_TAKE_OUT(r5, r11)
        SQM_ASM_TAKE_OUT_TO_SLOT(r6, 18)
        SQM_ASM_TAKE_OUT_TO_SLOT(r7, 19)
        SQM_TAKE(r8, 7)
        SQM_TAKE(r9, 12)
        "cmp.w r1, r8\n"
        "it ne\n"
        "bxne r9\n"
        SQM_PARK(0, r0)
        SQM_PARK(16, r10)
        SQM_PARK(17, r11)
        SQM_TAKE(r0, 3)
        SQM_TAKE(lr, 10)
        SQM_TAKE(r8, 9)
        "cmp.w r8, #0\n"
        "bne.w 3f\n"
        SQM_TAKE(r10, 5)
        SQM_TAKE(r11, 4)
        SQM_ASM_EIGHT_OUTPUTS(SQM_ASM_CODE)
        "add.w r0, r0, #68\n"
        SQM_ASM_NEXT_BLOCK(r11, 8, SQM_LEAVE)
        "3:\n"
        SQM_ASM_EIGHT_OUTPUTS(SQM_ASM_SUM)
        SQM_LEAVE
        ::: "memory");
    /* clang-format on */
}

#undef SQM_ASM_TWO_CHANNELS
#undef SQM_ASM_FOUR_CHANNELS
#undef SQM_ASM_EIGHT_CHANNELS
#undef SQM_ASM_TAKE_OUT
#undef SQM_ASM_TAKE_OUT_TO_SLOT
#undef SQM_ASM_TWO_BITS
#undef SQM_ASM_TWO_OUTPUTS
#undef SQM_ASM_EIGHT_OUTPUTS
#undef SQM_ASM_CODE
#undef SQM_ASM_SUM

#endif
