/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RP2040 and RP2350 have in common: a 12 MHz crystal, a PLL, and blocks that are held in reset
 * until asked for. The SoC's file gives the addresses, and how its PLL is set. Offsets and bits as
 * in hardware/regs/clocks.h, pll.h, resets.h and xosc.h of pico-sdk 2.2.0, for both chips.
 */
#ifndef SQM_SOC_RP2_CLOCK_H
#define SQM_SOC_RP2_CLOCK_H

#include "hal/register.h"

typedef struct {
    uint32_t resets, clocks, crystal, pll; /* base addresses */
    uint32_t pll_reset;                    /* its bit in RESETS */
    uint32_t feedback, divider_1, divider_2;
} sqm_rp2;

#define SQM_RP2_XOSC_ENABLE    (0xFABu << 12 | 0xAA0u) /* 1 to 15 MHz */
#define SQM_RP2_XOSC_STARTUP   282u       /* * 256 cycles of 12 MHz: 6 ms, as pico-sdk waits */
#define SQM_RP2_READY          (1u << 31) /* STABLE of XOSC, LOCK of the PLL */
#define SQM_RP2_PLL_OFF        (1u << 0 | 1u << 5) /* PD, VCOPD */
#define SQM_RP2_PLL_DIVIDE_OFF (1u << 3)           /* POSTDIVPD */
#define SQM_RP2_REF_CRYSTAL    2u
#define SQM_RP2_SYS_AUXILIARY  1u         /* whose source 0 is the PLL */
#define SQM_RP2_PERI_ENABLE    (1u << 11) /* its source 0 is clk_sys */

/** Let blocks out of reset and wait until they are. */
static inline void sqm_rp2_release(const sqm_rp2 *chip, uint32_t blocks)
{
    sqm_register_change(chip->resets, blocks, 0);
    sqm_register_await(chip->resets + 8u, blocks, blocks);
}

/** clk_ref from the crystal, clk_sys from the PLL, clk_peri from clk_sys. */
static inline void sqm_rp2_start_clocks(const sqm_rp2 *chip)
{
    const uint32_t ref = chip->clocks + 0x30u;
    const uint32_t sys = chip->clocks + 0x3Cu;
    const uint32_t peri = chip->clocks + 0x48u;

    SQM_REGISTER(chip->crystal + 0x0Cu) = SQM_RP2_XOSC_STARTUP;
    SQM_REGISTER(chip->crystal) = SQM_RP2_XOSC_ENABLE;
    sqm_register_await(chip->crystal + 4u, SQM_RP2_READY, SQM_RP2_READY);

    /* Off the PLL, should a boot loader have been there before. */
    sqm_register_change(sys, 1u, 0);
    sqm_register_await(sys + 8u, 1u, 1u);
    sqm_register_change(ref, 3u, SQM_RP2_REF_CRYSTAL);
    sqm_register_await(ref + 8u, 1u << SQM_RP2_REF_CRYSTAL, 1u << SQM_RP2_REF_CRYSTAL);

    sqm_register_change(chip->resets, chip->pll_reset, chip->pll_reset);
    sqm_rp2_release(chip, chip->pll_reset);
    SQM_REGISTER(chip->pll) = 1; /* the crystal divided by 1 */
    SQM_REGISTER(chip->pll + 8u) = chip->feedback;
    sqm_register_change(chip->pll + 4u, SQM_RP2_PLL_OFF, 0);
    sqm_register_await(chip->pll, SQM_RP2_READY, SQM_RP2_READY);
    SQM_REGISTER(chip->pll + 0xCu) = chip->divider_1 << 16 | chip->divider_2 << 12;
    sqm_register_change(chip->pll + 4u, SQM_RP2_PLL_DIVIDE_OFF, 0);

    sqm_register_change(sys, 7u << 5, 0);
    sqm_register_change(sys, 1u, SQM_RP2_SYS_AUXILIARY);
    sqm_register_await(sys + 8u, 1u << SQM_RP2_SYS_AUXILIARY, 1u << SQM_RP2_SYS_AUXILIARY);
    SQM_REGISTER(peri) = SQM_RP2_PERI_ENABLE;
}

#endif
