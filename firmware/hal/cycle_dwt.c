/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CYCCNT of the Data Watchpoint and Trace unit: core cycles, 32 bits, one read is one load.
 * Arm DDI 0403 (ARMv7-M), DEMCR and DWT; addresses and bits as in core_cm4.h, core_cm7.h and
 * core_cm33.h of Arm's CMSIS 6.
 */
#include "hal/register.h"
#include "sqm/hal.h"

#define DEMCR      0xE000EDFCu
#define DWT_CTRL   0xE0001000u
#define DWT_CYCCNT 0xE0001004u
#define DWT_LAR    0xE0001FB0u

#define DEMCR_TRCENA   (1u << 24)
#define CTRL_CYCCNTENA (1u << 0)
#define LAR_UNLOCK     0xC5ACCE55u

#define SOURCE_NONE 0
#define SOURCE_DWT  1

static uint8_t source;

void sqm_cycles_start(void)
{
    sqm_register_change(DEMCR, DEMCR_TRCENA, DEMCR_TRCENA);
    /* STM32F7 and H7 ignore all writes to the DWT until its lock is open, which is shut after a
     * reset unless a debugger was there; cores without the lock ignore the key. */
    SQM_REGISTER(DWT_LAR) = LAR_UNLOCK;
    SQM_REGISTER(DWT_CYCCNT) = 0;
    sqm_register_change(DWT_CTRL, CTRL_CYCCNTENA, CTRL_CYCCNTENA);

    /* Some cores and emulators have the register but do not count. The loop is there for simulators
     * that advance the counter only from one basic block to the next. */
    const uint32_t before = sqm_cycles_now();
    for (volatile int32_t i = 0; i < 8; ++i) {
    }
    source = sqm_cycles_now() != before ? SOURCE_DWT : SOURCE_NONE;
}

__attribute__((noinline)) uint32_t sqm_cycles_now(void)
{
    return SQM_REGISTER(DWT_CYCCNT);
}

uint8_t sqm_cycles_source(void)
{
    return source;
}
