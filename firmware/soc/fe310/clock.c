/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FE310-G002 on a HiFive1 Rev B: the core at 320 MHz from the 16 MHz crystal, the flash bus at 40
 * MHz, and UART0 on GPIO 16 and 17. FE310-G002 Manual v1p5; addresses and bits as in
 * bsp/sifive-hifive1-revb of SiFive's freedom-e-sdk and in the drivers of its freedom-metal.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 320000000, "this file sets 320 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == SQM_CLOCK_HZ, "tlclk is the core's clock");
_Static_assert(SQM_UART_BASE == 0x10013000, "only the pins of UART0 are set here");

#define PRCI_HFXOSCCFG 0x10008004u
#define PRCI_PLLCFG    0x10008008u
#define PRCI_PLLOUTDIV 0x1000800Cu
#define QSPI0_SCKDIV   0x10014000u
#define GPIO_IOF_EN    0x10012038u
#define GPIO_IOF_SEL   0x1001203Cu

#define HFXOSC_ENABLE (1u << 30)
#define HFXOSC_READY  (1u << 31)

#define PLL_R_2         (1u << 0)
#define PLL_F_80        (39u << 4)
#define PLL_Q_2         (1u << 10)
#define PLL_SELECT      (1u << 16)
#define PLL_FROM_HFXOSC (1u << 17)
#define PLL_BYPASS      (1u << 18)
#define PLL_LOCK        (1u << 31)
#define OUTDIV_BY_1     (1u << 8)

#define SCKDIV_8   3u /* 2 * (3 + 1) */
#define UART0_PINS (1u << 16 | 1u << 17)

void sqm_soc_start(void)
{
    SQM_REGISTER(QSPI0_SCKDIV) = SCKDIV_8; /* slow enough for the flash at the clock to come */
    sqm_register_change(PRCI_HFXOSCCFG, HFXOSC_ENABLE, HFXOSC_ENABLE);
    sqm_register_await(PRCI_HFXOSCCFG, HFXOSC_READY, HFXOSC_READY);

    /* Off the PLL while it changes. 16 MHz / 2 * 80 / 2 = 320 MHz. */
    sqm_register_change(PRCI_PLLCFG, PLL_SELECT, 0);
    SQM_REGISTER(PRCI_PLLOUTDIV) = OUTDIV_BY_1;
    SQM_REGISTER(PRCI_PLLCFG) = PLL_BYPASS | PLL_FROM_HFXOSC | PLL_R_2 | PLL_F_80 | PLL_Q_2;
    SQM_REGISTER(PRCI_PLLCFG) = PLL_FROM_HFXOSC | PLL_R_2 | PLL_F_80 | PLL_Q_2;
    for (volatile int32_t i = 0; i < 2000; ++i) { /* 100 us before the lock bit means anything */
    }
    sqm_register_await(PRCI_PLLCFG, PLL_LOCK, PLL_LOCK);
    sqm_register_change(PRCI_PLLCFG, PLL_SELECT, PLL_SELECT);

    sqm_register_change(GPIO_IOF_SEL, UART0_PINS, 0);
    sqm_register_change(GPIO_IOF_EN, UART0_PINS, UART0_PINS);
}
