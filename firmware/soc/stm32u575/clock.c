/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STM32U575: the core at 160 MHz from the internal 4 MHz oscillator (MSIS), the instruction cache
 * on, and USART1 on PA9 and PA10. Titles in quotes are sections of RM0456; addresses and bits as
 * in stm32u575xx.h of ST's cmsis_device_u5, the order of steps as in its HAL.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 160000000, "this file sets 160 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == 160000000, "USART1 takes PCLK2, which is not divided here");
_Static_assert(SQM_UART_BASE == 0x40013800, "only the pins of USART1 are set here");

#define PWR_VOSR     0x4602080Cu
#define RCC_CR       0x46020C00u
#define RCC_CFGR1    0x46020C1Cu
#define RCC_PLL1CFGR 0x46020C28u
#define RCC_PLL1DIVR 0x46020C34u
#define RCC_AHB2ENR1 0x46020C8Cu
#define RCC_AHB3ENR  0x46020C94u
#define RCC_APB2ENR  0x46020CA4u
#define FLASH_ACR    0x40022000u
#define ICACHE_CR    0x40030400u
#define GPIOA_MODER  0x42020000u
#define GPIOA_AFRH   0x42020024u

#define VOSR_VOS_MASK    (3u << 16)
#define VOSR_VOS_RANGE_1 (3u << 16)
#define VOSR_BOOSTEN     (1u << 18)
#define VOSR_BOOSTRDY    (1u << 14)
#define VOSR_VOSRDY      (1u << 15)

#define CR_MSISRDY (1u << 2)
#define CR_PLL1ON  (1u << 24)
#define CR_PLL1RDY (1u << 25)

#define PLL1_SOURCE_MSIS (1u << 0) /* M = 1; an input of 4 to 8 MHz; the booster takes 4 MHz */
#define PLL1_R_ENABLE    (1u << 18)
#define PLL1_N_80_R_2    (79u << 0 | 1u << 9 | 1u << 16 | 1u << 24)

#define CFGR1_SW_MASK  (3u << 0)
#define CFGR1_SW_PLL1  (3u << 0)
#define CFGR1_SWS_MASK (3u << 2)
#define CFGR1_SWS_PLL1 (3u << 2)

#define ACR_LATENCY_MASK (15u << 0)
#define ACR_LATENCY_4    (4u << 0)
#define ACR_PREFETCH     (1u << 8)
#define ICACHE_ENABLE    (1u << 0)

#define AHB2ENR1_GPIOA (1u << 0)
#define AHB3ENR_PWR    (1u << 2)
#define APB2ENR_USART1 (1u << 14)

/* "Dynamic voltage scaling management": above 55 MHz range 1 or 2 with the booster, which takes
 * PLL1's input clock, so PLL1 is set up before it and switched on after it. */
static void start_clock(void)
{
    sqm_register_enable(RCC_AHB3ENR, AHB3ENR_PWR);
    sqm_register_await(RCC_CR, CR_MSISRDY, CR_MSISRDY);

    /* 4 MHz * 80 / 2 = 160 MHz. */
    SQM_REGISTER(RCC_PLL1CFGR) = PLL1_SOURCE_MSIS;
    SQM_REGISTER(RCC_PLL1DIVR) = PLL1_N_80_R_2;
    sqm_register_change(PWR_VOSR, VOSR_VOS_MASK, VOSR_VOS_RANGE_1);
    sqm_register_await(PWR_VOSR, VOSR_VOSRDY, VOSR_VOSRDY);
    sqm_register_change(PWR_VOSR, VOSR_BOOSTEN, VOSR_BOOSTEN);
    sqm_register_await(PWR_VOSR, VOSR_BOOSTRDY, VOSR_BOOSTRDY);
    sqm_register_change(RCC_CR, CR_PLL1ON, CR_PLL1ON);
    sqm_register_await(RCC_CR, CR_PLL1RDY, CR_PLL1RDY);
    sqm_register_change(RCC_PLL1CFGR, PLL1_R_ENABLE, PLL1_R_ENABLE);

    /* "Read access latency": range 1 and 160 MHz, 4 wait states. */
    sqm_register_change(FLASH_ACR, ACR_LATENCY_MASK | ACR_PREFETCH, ACR_LATENCY_4 | ACR_PREFETCH);
    sqm_register_await(FLASH_ACR, ACR_LATENCY_MASK, ACR_LATENCY_4);
    SQM_REGISTER(ICACHE_CR) = ICACHE_ENABLE;
    sqm_register_change(RCC_CFGR1, CFGR1_SW_MASK, CFGR1_SW_PLL1);
    sqm_register_await(RCC_CFGR1, CFGR1_SWS_MASK, CFGR1_SWS_PLL1);
}

/* UM2861: the STLINK's virtual COM port is wired to PA9 (USART1_TX) and PA10 (USART1_RX), AF7. */
static void start_pins(void)
{
    sqm_register_enable(RCC_AHB2ENR1, AHB2ENR1_GPIOA);
    sqm_register_change(GPIOA_AFRH, 0xFFu << 4, 0x77u << 4);
    sqm_register_change(GPIOA_MODER, 0xFu << 18, 0xAu << 18);
    sqm_register_enable(RCC_APB2ENR, APB2ENR_USART1);
}

void sqm_soc_start(void)
{
    start_clock();
    start_pins();
}
