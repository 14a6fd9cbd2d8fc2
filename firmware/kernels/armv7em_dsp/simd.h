/*
 * DSP instructions as functions, for loops in which the compiler may choose the registers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_SIMD_H
#define SQM_ARMV7EM_DSP_SIMD_H

#include <stdint.h>

#include "sqm/compiler.h"

/** addend + left * right / 2^32, to nearest, halves up. */
SQM_INLINE int32_t sqm_smmlar(int32_t left, int32_t right, int32_t addend)
{
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(left), "r"(right), "r"(addend));
    return result;
}

/** addend - left * right / 2^32, to nearest, halves up. */
SQM_INLINE int32_t sqm_smmlsr(int32_t left, int32_t right, int32_t addend)
{
    int32_t result;
    __asm__("smmlsr %0, %1, %2, %3" : "=r"(result) : "r"(left), "r"(right), "r"(addend));
    return result;
}

/** addend + byte `index` of `bytes`, as an int8; index is a constant. */
#define SQM_SXTAB(addend, bytes, index)                                                            \
    __extension__({                                                                                \
        int32_t result_;                                                                           \
        __asm__("sxtab %0, %1, %2, ror %3"                                                         \
                : "=r"(result_)                                                                    \
                : "r"(addend), "r"(bytes), "i"(8 * (index)));                                      \
        result_;                                                                                   \
    })

/** Halves of `addend` + bytes 0 and 2 of `bytes`, as int8. */
SQM_INLINE uint32_t sqm_sxtab16_even(uint32_t addend, uint32_t bytes)
{
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(addend), "r"(bytes));
    return result;
}

/** Halves of `addend` + bytes 1 and 3 of `bytes`, as int8. */
SQM_INLINE uint32_t sqm_sxtab16_odd(uint32_t addend, uint32_t bytes)
{
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(addend), "r"(bytes));
    return result;
}

/** Sums of bytes, modulo 256. */
SQM_INLINE uint32_t sqm_sadd8(uint32_t a, uint32_t b)
{
    uint32_t result;
    __asm__("sadd8 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

/** Differences of bytes, modulo 256. */
SQM_INLINE uint32_t sqm_ssub8(uint32_t a, uint32_t b)
{
    uint32_t result;
    __asm__("ssub8 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

/** The larger of each pair of bytes, as int8. */
SQM_INLINE uint32_t sqm_largest_bytes(uint32_t a, uint32_t b)
{
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

#endif
