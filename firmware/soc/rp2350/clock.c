/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RP2350, its Cortex-M33 or its Hazard3: the core at 150 MHz from the 12 MHz crystal, and UART0 on
 * GPIO 0 and 1. Addresses and bits as in hardware/regs of pico-sdk 2.2.0 for the RP2350, the files
 * named at the registers.
 */
#include "board_config.h"
#include "hal/register.h"
#include "soc/rp2_clock.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 150000000, "this file sets 150 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == SQM_CLOCK_HZ, "clk_peri is clk_sys here");
_Static_assert(SQM_UART_BASE == 0x40070000, "only the pins of UART0 are set here");

#define IO_BANK0_GPIO0_CTRL 0x40028004u /* io_bank0.h */
#define IO_BANK0_GPIO1_CTRL 0x4002800Cu
#define PADS_BANK0_GPIO0    0x40038004u /* pads_bank0.h */
#define PADS_BANK0_GPIO1    0x40038008u

#define RESET_IO_BANK0   (1u << 6) /* resets.h */
#define RESET_PADS_BANK0 (1u << 9)
#define RESET_PLL_SYS    (1u << 14)
#define RESET_UART0      (1u << 26)

#define FUNCTION_UART 2u
#define PAD_INPUT     (1u << 6)
#define PAD_ISOLATED  (1u << 8)

/* 12 MHz * 125 = 1500 MHz; / 5 / 2 = 150 MHz. */
static const sqm_rp2 chip = {
    .resets = 0x40020000u,
    .clocks = 0x40010000u,
    .crystal = 0x40048000u,
    .pll = 0x40050000u,
    .pll_reset = RESET_PLL_SYS,
    .feedback = 125,
    .divider_1 = 5,
    .divider_2 = 2,
};

void sqm_soc_start(void)
{
    sqm_rp2_start_clocks(&chip);
    sqm_rp2_release(&chip, RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0);
    SQM_REGISTER(IO_BANK0_GPIO0_CTRL) = FUNCTION_UART;
    SQM_REGISTER(IO_BANK0_GPIO1_CTRL) = FUNCTION_UART;
    sqm_register_change(PADS_BANK0_GPIO0, PAD_INPUT | PAD_ISOLATED, PAD_INPUT);
    sqm_register_change(PADS_BANK0_GPIO1, PAD_INPUT | PAD_ISOLATED, PAD_INPUT);
#if defined(__riscv)
    /* Hazard3 comes out of reset with mcycle inhibited: rvcsr.h, MCOUNTINHIBIT. */
    __asm volatile("csrw mcountinhibit, zero" ::: "memory");
#endif
}
