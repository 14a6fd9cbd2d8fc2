/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RP2040: the core at 125 MHz from the 12 MHz crystal, UART0 on GPIO 0 and 1, and the timer that
 * counts microseconds. Addresses and bits as in hardware/regs of pico-sdk 2.2.0 for the RP2040, the
 * files named at the registers.
 */
#include "board_config.h"
#include "hal/register.h"
#include "soc/rp2_clock.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 125000000, "this file sets 125 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == SQM_CLOCK_HZ, "clk_peri is clk_sys here");
_Static_assert(SQM_UART_BASE == 0x40034000, "only the pins of UART0 are set here");

#define IO_BANK0_GPIO0_CTRL 0x40014004u /* io_bank0.h */
#define IO_BANK0_GPIO1_CTRL 0x4001400Cu
#define WATCHDOG_TICK       0x4005802Cu /* watchdog.h */
#define TIMER_TIMERAWL      0x40054028u /* timer.h */

#define RESET_IO_BANK0   (1u << 5) /* resets.h */
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS    (1u << 12)
#define RESET_TIMER      (1u << 21)
#define RESET_UART0      (1u << 22)

#define FUNCTION_UART 2u
#define TICK_ENABLE   (1u << 9)
#define TICK_CYCLES   12u /* of clk_ref for one microsecond */

/* 12 MHz * 125 = 1500 MHz; / 6 / 2 = 125 MHz. */
static const sqm_rp2 chip = {
    .resets = 0x4000C000u,
    .clocks = 0x40008000u,
    .crystal = 0x40024000u,
    .pll = 0x40028000u,
    .pll_reset = RESET_PLL_SYS,
    .feedback = 125,
    .divider_1 = 6,
    .divider_2 = 2,
};

void sqm_soc_start(void)
{
    sqm_rp2_start_clocks(&chip);
    SQM_REGISTER(WATCHDOG_TICK) = TICK_ENABLE | TICK_CYCLES;
    sqm_rp2_release(&chip, RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_TIMER | RESET_UART0);
    SQM_REGISTER(IO_BANK0_GPIO0_CTRL) = FUNCTION_UART;
    SQM_REGISTER(IO_BANK0_GPIO1_CTRL) = FUNCTION_UART;
}

uint32_t sqm_soc_microseconds(void)
{
    return SQM_REGISTER(TIMER_TIMERAWL);
}
