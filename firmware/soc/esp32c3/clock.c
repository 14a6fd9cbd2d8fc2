/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP32-C3 as its boot ROM leaves it after loading an image into RAM: watchdogs off, the core at 40
 * MHz, straight from the crystal. 160 MHz would need the PLL, whose analogue registers Espressif
 * does not document. Addresses and bits as in components/soc/esp32c3 of ESP-IDF (July 2026), the
 * files named at the registers.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 40000000, "this file sets 40 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == 40000000, "the UART takes the crystal");
_Static_assert(SQM_UART_BASE == 0x60000000, "the boot ROM has connected UART0's pins, no others");

#define SYSTEM_SYSCLK_CONF 0x600C0058u /* system_reg.h */
#define SYSCLK_MASK        0xFFFu      /* divider less 1, and source: 0 is the crystal */

#define RTC_WDT_CONFIG0   0x60008090u /* rtc_cntl_reg.h */
#define RTC_WDT_KEY       0x600080A8u
#define RTC_SWD_CONFIG    0x600080ACu
#define RTC_SWD_KEY       0x600080B0u
#define TIMG0_WDT_CONFIG0 0x6001F048u /* timer_group_reg.h */
#define TIMG0_WDT_KEY     0x6001F064u

#define WDT_UNLOCK    0x50D83AA1u
#define SWD_UNLOCK    0x8F1D312Au
#define SWD_AUTO_FEED (1u << 31)
#define WDT_UPDATE    (1u << 22) /* WDT_CONF_UPDATE_EN */

/* The boot ROM watches over what it starts, and would reset it within seconds. */
static void stop_watchdogs(void)
{
    SQM_REGISTER(RTC_WDT_KEY) = WDT_UNLOCK;
    SQM_REGISTER(RTC_WDT_CONFIG0) = 0;
    SQM_REGISTER(RTC_WDT_KEY) = 0;
    SQM_REGISTER(TIMG0_WDT_KEY) = WDT_UNLOCK;
    /* Its other clock takes the new values when it is told to, the end of flash boot mode as well.
     */
    SQM_REGISTER(TIMG0_WDT_CONFIG0) = WDT_UPDATE;
    SQM_REGISTER(TIMG0_WDT_KEY) = 0;
    SQM_REGISTER(RTC_SWD_KEY) = SWD_UNLOCK;
    sqm_register_change(RTC_SWD_CONFIG, SWD_AUTO_FEED, SWD_AUTO_FEED);
    SQM_REGISTER(RTC_SWD_KEY) = 0;
}

void sqm_soc_start(void)
{
    stop_watchdogs();
    sqm_register_change(SYSTEM_SYSCLK_CONF, SYSCLK_MASK, 0);
}
