/*
 * One tap of portable_c/pairs.h on Cortex-M without SIMD. The two words are one LDM, which takes a
 * cycle less than two loads and moves the pointer on; compilers do not find it.
 *
 *                Cortex-M3                        Cortex-M0+
 *   x            LDRSB 2, ADD 1                   MOVS 1, LDRSB 2, ADD 1
 *   words        LDM 3                            LDM 3
 *   sums         2 MLA 4                          2 MULS, 2 ADDS 4
 *                10 cycles                        11 cycles
 *
 * ARMv6-M multiplies and loads in eight registers alone. A tap takes seven of them; gcc 12 would
 * keep other numbers there and move these to and fro, which took ResNet8 up to 1.8 times as long,
 * by what stood around the loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_THUMB_PAIRS_TAP_H
#define SQM_THUMB_PAIRS_TAP_H

/**
 * sum01, sum23 += (x[i] + offset) times the next two words.
 *
 * @param i  a constant, 0 ... 255.
 */
#if defined(__thumb2__)
#define SQM_THUMB_PAIRS_TAP(x, i, offset, words, sum01, sum23)                                     \
    __asm__("ldrsb r4, [%[from], %[index]]\n\t"                                                    \
            "ldmia %[word]!, {r5, r6}\n\t"                                                         \
            "add r4, %[plus]\n\t"                                                                  \
            "mla %[first], r4, r5, %[first]\n\t"                                                   \
            "mla %[second], r4, r6, %[second]\n\t"                                                 \
            : [word] "+r"(words), [first] "+r"(sum01), [second] "+r"(sum23)                        \
            : [from] "r"(x), [plus] "r"(offset), [index] "I"(i)                                    \
            : "r4", "r5", "r6", "memory")
#elif defined(__thumb__)
#define SQM_THUMB_PAIRS_TAP(x, i, offset, words, sum01, sum23)                                     \
    __asm__(".syntax unified\n\t"                                                                  \
            "movs r4, %[index]\n\t"                                                                \
            "ldrsb r4, [%[from], r4]\n\t"                                                          \
            "ldmia %[word]!, {r5, r6}\n\t"                                                         \
            "add r4, %[plus]\n\t"                                                                  \
            "muls r5, r4\n\t"                                                                      \
            "adds %[first], r5\n\t"                                                                \
            "muls r6, r4\n\t"                                                                      \
            "adds %[second], r6\n\t"                                                               \
            : [word] "+l"(words), [first] "+l"(sum01), [second] "+l"(sum23)                        \
            : [from] "l"(x), [plus] "h"(offset), [index] "I"(i)                                    \
            : "r4", "r5", "r6", "cc", "memory")
#endif

#endif
