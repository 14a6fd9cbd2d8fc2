/* SPDX-License-Identifier: Apache-2.0 */
/* Memory-mapped registers by address. */
#ifndef SQM_HAL_REGISTER_H
#define SQM_HAL_REGISTER_H

#include <stdint.h>

#define SQM_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/** Replace the bits of `mask` by those of `bits`; all others stay. */
static inline void sqm_register_change(uint32_t address, uint32_t mask, uint32_t bits)
{
    SQM_REGISTER(address) = (SQM_REGISTER(address) & ~mask) | bits;
}

/** Set bits that switch a clock on, and read them back: what they clock may be used thereafter. */
static inline void sqm_register_enable(uint32_t address, uint32_t bits)
{
    sqm_register_change(address, bits, bits);
    (void)SQM_REGISTER(address);
}

/** Wait until (register & mask) == bits. */
static inline void sqm_register_await(uint32_t address, uint32_t mask, uint32_t bits)
{
    while ((SQM_REGISTER(address) & mask) != bits) {
    }
}

#endif
