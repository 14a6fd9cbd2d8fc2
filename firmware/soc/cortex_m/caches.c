/* SPDX-License-Identifier: Apache-2.0 */
/* Caches of the Cortex-M7: Arm DDI 0403; addresses and bits as in core_cm7.h of Arm's CMSIS 6. */
#include "soc/cortex_m/caches.h"

#include "hal/register.h"

#define CCR     0xE000ED14u
#define CCSIDR  0xE000ED80u
#define CSSELR  0xE000ED84u
#define ICIALLU 0xE000EF50u
#define DCISW   0xE000EF60u

#define CCR_DC         (1u << 16)
#define CCR_IC         (1u << 17)
#define CSSELR_L1_DATA 0u

#define SET_SHIFT 5u  /* lines of 32 bytes */
#define WAY_SHIFT 30u /* four ways (Arm DDI 0489F, "L1 data cache") */

static void barrier(void)
{
    __asm volatile("dsb\n\tisb" ::: "memory");
}

void sqm_caches_enable(void)
{
    barrier();
    SQM_REGISTER(ICIALLU) = 0;
    barrier();
    sqm_register_change(CCR, CCR_IC, CCR_IC);
    barrier();

    SQM_REGISTER(CSSELR) = CSSELR_L1_DATA;
    barrier();
    const uint32_t geometry = SQM_REGISTER(CCSIDR);
    const uint32_t last_set = geometry >> 13 & 0x7FFFu;
    const uint32_t last_way = geometry >> 3 & 0x3FFu;
    for (uint32_t set = 0; set <= last_set; ++set) {
        for (uint32_t way = 0; way <= last_way; ++way) {
            SQM_REGISTER(DCISW) = way << WAY_SHIFT | set << SET_SHIFT;
        }
    }
    barrier();
    sqm_register_change(CCR, CCR_DC, CCR_DC);
    barrier();
}
