/*
 * Arm's DSP instructions as functions, where C has no words for them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_INSTRUCTIONS_H
#define SQM_ARMV7EM_DSP_INSTRUCTIONS_H

#include <stdint.h>

#include "sqm/compiler.h"

/** a + b, half by half. */
SQM_INLINE uint32_t sqm_add_halves(uint32_t a, uint32_t b)
{
    uint32_t sum;
    __asm__("sadd16 %0, %1, %2" : "=r"(sum) : "r"(a), "r"(b));
    return sum;
}

/** Bytes 0 and 2 of a word, as signed halves. */
SQM_INLINE uint32_t sqm_even_bytes(uint32_t word)
{
    uint32_t halves;
    __asm__("sxtb16 %0, %1" : "=r"(halves) : "r"(word));
    return halves;
}

/** Bytes 1 and 3 of a word, as signed halves. */
SQM_INLINE uint32_t sqm_odd_bytes(uint32_t word)
{
    uint32_t halves;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(word));
    return halves;
}

/** sum + a_low * b_low + a_high * b_high. */
SQM_INLINE int32_t sqm_add_products(int32_t sum, uint32_t a, uint32_t b)
{
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

#endif
