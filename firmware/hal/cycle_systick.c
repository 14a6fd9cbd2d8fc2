/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SysTick for cores without a DWT counter (Armv6-M): core cycles, counted down in 24 bits (Arm DDI
 * 0419, SysTick). A timer of the SoC tells how often they wrapped, so no interrupt is needed:
 * the reading is the number nearest to what the timer says whose last 24 bits are SysTick's. Both
 * must run from one oscillator, and the timer must be right to within 2^23 cycles.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

#define SYST_CSR 0xE000E010u
#define SYST_RVR 0xE000E014u
#define SYST_CVR 0xE000E018u

#define CSR_ENABLE     (1u << 0)
#define CSR_CORE_CLOCK (1u << 2)

#define MASK_24        0x00FFFFFFu
#define CLOCK_IN_MHZ   (SQM_CLOCK_HZ / 1000000u)
#define SOURCE_NONE    0
#define SOURCE_SYSTICK 2

_Static_assert(SQM_CLOCK_HZ % 1000000u == 0, "cycles are derived from whole cycles a microsecond");

static uint8_t source;
static uint32_t first_microsecond;

void sqm_cycles_start(void)
{
    SQM_REGISTER(SYST_RVR) = MASK_24;
    SQM_REGISTER(SYST_CVR) = 0; /* any write clears it */
    SQM_REGISTER(SYST_CSR) = CSR_ENABLE | CSR_CORE_CLOCK;
    first_microsecond = sqm_soc_microseconds();

    const uint32_t before = sqm_cycles_now();
    for (volatile int32_t i = 0; i < 8; ++i) {
    }
    source = sqm_cycles_now() != before ? SOURCE_SYSTICK : SOURCE_NONE;
}

__attribute__((noinline)) uint32_t sqm_cycles_now(void)
{
    const uint32_t low = (0u - SQM_REGISTER(SYST_CVR)) & MASK_24;
    const uint32_t coarse = (sqm_soc_microseconds() - first_microsecond) * CLOCK_IN_MHZ;
    /* low - coarse modulo 2^24, as a signed number, is how far the timer is off. */
    const uint32_t ahead = (low - coarse) & MASK_24;
    return coarse + ahead - (ahead > MASK_24 / 2u ? MASK_24 + 1u : 0u);
}

uint8_t sqm_cycles_source(void)
{
    return source;
}
