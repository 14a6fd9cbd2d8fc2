/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STM32F407: the core at 168 MHz from the board's 8 MHz crystal, and USART2 on PA2 and PA3. Titles
 * in quotes are sections of RM0090; addresses and bits as in stm32f407xx.h of ST's cmsis_device_f4.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 168000000, "this file sets 168 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == 42000000, "USART2 takes PCLK1, a quarter of the core's clock");
_Static_assert(SQM_UART_BASE == 0x40004400, "only the pins of USART2 are set here");

#define RCC_CR      0x40023800u
#define RCC_PLLCFGR 0x40023804u
#define RCC_CFGR    0x40023808u
#define RCC_AHB1ENR 0x40023830u
#define RCC_APB1ENR 0x40023840u
#define PWR_CR      0x40007000u
#define FLASH_ACR   0x40023C00u
#define GPIOA_MODER 0x40020000u
#define GPIOA_AFRL  0x40020020u

#define CR_HSEON  (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_PLLON  (1u << 24)
#define CR_PLLRDY (1u << 25)

#define PLL_M_8        (8u << 0)
#define PLL_N_336      (336u << 6)
#define PLL_P_2        (0u << 16)
#define PLL_SOURCE_HSE (1u << 22)
#define PLL_Q_7        (7u << 24)

#define CFGR_SW_MASK  (3u << 0)
#define CFGR_SW_PLL   (2u << 0)
#define CFGR_SWS_MASK (3u << 2)
#define CFGR_SWS_PLL  (2u << 2)
#define CFGR_DIVIDERS (0xFu << 4 | 0x3Fu << 10) /* HPRE; PPRE1, PPRE2 */
#define CFGR_APB1_4   (5u << 10)
#define CFGR_APB2_2   (4u << 13)

#define ACR_LATENCY_5      (5u << 0)
#define ACR_PREFETCH_CACHE (7u << 8) /* PRFTEN, ICEN, DCEN */

#define PWR_CR_VOS_1   (1u << 14)
#define APB1ENR_USART2 (1u << 17)
#define APB1ENR_PWR    (1u << 28)
#define AHB1ENR_GPIOA  (1u << 0)

static void start_clock(void)
{
    sqm_register_enable(RCC_APB1ENR, APB1ENR_PWR);
    sqm_register_change(PWR_CR, PWR_CR_VOS_1, PWR_CR_VOS_1); /* above 144 MHz */

    sqm_register_change(RCC_CR, CR_HSEON, CR_HSEON);
    sqm_register_await(RCC_CR, CR_HSERDY, CR_HSERDY);
    /* "PLL configuration register": 8 MHz / 8 * 336 / 2 = 168 MHz; / 7 = 48 MHz for nobody. */
    SQM_REGISTER(RCC_PLLCFGR) = PLL_M_8 | PLL_N_336 | PLL_P_2 | PLL_SOURCE_HSE | PLL_Q_7;
    sqm_register_change(RCC_CR, CR_PLLON, CR_PLLON);
    sqm_register_await(RCC_CR, CR_PLLRDY, CR_PLLRDY);

    /* "Relation between CPU clock frequency and Flash memory read time": 5 wait states. */
    SQM_REGISTER(FLASH_ACR) = ACR_LATENCY_5 | ACR_PREFETCH_CACHE;
    sqm_register_change(RCC_CFGR, CFGR_DIVIDERS, CFGR_APB1_4 | CFGR_APB2_2);
    sqm_register_change(RCC_CFGR, CFGR_SW_MASK, CFGR_SW_PLL);
    sqm_register_await(RCC_CFGR, CFGR_SWS_MASK, CFGR_SWS_PLL);
}

/* stm32f407v(e-g)tx-pinctrl.dtsi of ST's pin data: PA2 USART2_TX, PA3 USART2_RX, both AF7. */
static void start_pins(void)
{
    sqm_register_enable(RCC_AHB1ENR, AHB1ENR_GPIOA);
    sqm_register_change(GPIOA_AFRL, 0xFFu << 8, 0x77u << 8);
    sqm_register_change(GPIOA_MODER, 0xFu << 4, 0xAu << 4);
    sqm_register_enable(RCC_APB1ENR, APB1ENR_USART2);
}

void sqm_soc_start(void)
{
    start_clock();
    start_pins();
}
