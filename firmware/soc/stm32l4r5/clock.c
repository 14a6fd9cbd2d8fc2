/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STM32L4R5: the core at 120 MHz from the internal 4 MHz oscillator, and LPUART1 on PG7 and PG8.
 * Titles in quotes are sections of RM0432 (STM32L4+ reference manual); addresses and bits as in
 * stm32l4r5xx.h of ST's cmsis_device_l4, wait states as in its HAL.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 120000000, "this file sets 120 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == 120000000, "LPUART1 takes PCLK1, which is not divided here");
_Static_assert(SQM_UART_BASE == 0x40008000, "only the pins of LPUART1 are set here");

/* ---- Registers ---- */

#define PWR_CR1 0x40007000u
#define PWR_CR2 0x40007004u
#define PWR_SR2 0x40007014u
#define PWR_CR5 0x40007080u

#define RCC_CR       0x40021000u
#define RCC_CFGR     0x40021008u
#define RCC_PLLCFGR  0x4002100Cu
#define RCC_AHB2ENR  0x4002104Cu
#define RCC_APB1ENR1 0x40021058u
#define RCC_APB1ENR2 0x4002105Cu
#define RCC_CCIPR    0x40021088u

#define FLASH_ACR 0x40022000u

#define GPIOG_MODER   0x48001800u
#define GPIOG_OSPEEDR 0x48001808u
#define GPIOG_AFRL    0x48001820u
#define GPIOG_AFRH    0x48001824u

/* ---- Bits ---- */

#define CR1_VOS_MASK    (3u << 9)
#define CR1_VOS_RANGE_1 (1u << 9)
#define CR2_IOSV        (1u << 9)
#define SR2_VOSF        (1u << 10)
#define CR5_R1MODE      (1u << 8)

#define CR_MSIRDY (1u << 1)
#define CR_PLLON  (1u << 24)
#define CR_PLLRDY (1u << 25)

#define PLL_SOURCE_MSI (1u << 0)
#define PLL_M_1        (0u << 4)
#define PLL_N_60       (60u << 8)
#define PLL_R_ENABLE   (1u << 24)
#define PLL_R_2        (0u << 25)

#define CFGR_SW_MASK   (3u << 0)
#define CFGR_SW_PLL    (3u << 0)
#define CFGR_SWS_MASK  (3u << 2)
#define CFGR_SWS_PLL   (3u << 2)
#define CFGR_HPRE_MASK (15u << 4)
#define CFGR_HPRE_2    (8u << 4)
#define CFGR_HPRE_1    (0u << 4)

#define ACR_LATENCY_MASK (15u << 0)
#define ACR_LATENCY_5    (5u << 0)
#define ACR_CACHES       (3u << 9) /* ICEN, DCEN */

#define AHB2ENR_GPIOG    (1u << 6)
#define APB1ENR1_PWR     (1u << 28)
#define APB1ENR2_LPUART1 (1u << 0)
#define CCIPR_LPUART1    (3u << 10) /* 0: PCLK1 */

/* "Dynamic voltage scaling management": above 80 MHz the regulator runs in range 1 boost
 * mode. The way there: halve AHB, clear R1MODE, set the wait states, switch, wait at least 1 us,
 * and only then give AHB its full clock.
 */
static void start_clock(void)
{
    /* "Peripheral clock enable": two cycles until it ticks. */
    sqm_register_enable(RCC_APB1ENR1, APB1ENR1_PWR);
    sqm_register_change(PWR_CR1, CR1_VOS_MASK, CR1_VOS_RANGE_1);
    sqm_register_await(PWR_SR2, SR2_VOSF, 0);

    /* "PLL": 4 MHz / 1 * 60 = 240 MHz in the oscillator, / 2 = 120 MHz out. */
    sqm_register_await(RCC_CR, CR_MSIRDY, CR_MSIRDY);
    SQM_REGISTER(RCC_PLLCFGR) = PLL_SOURCE_MSI | PLL_M_1 | PLL_N_60 | PLL_R_ENABLE | PLL_R_2;
    sqm_register_change(RCC_CR, CR_PLLON, CR_PLLON);
    sqm_register_await(RCC_CR, CR_PLLRDY, CR_PLLRDY);

    sqm_register_change(RCC_CFGR, CFGR_HPRE_MASK, CFGR_HPRE_2);
    sqm_register_change(PWR_CR5, CR5_R1MODE, 0);

    /* 5 wait states above 100 MHz; the new value must be read back before it is relied on. */
    sqm_register_change(FLASH_ACR, ACR_LATENCY_MASK | ACR_CACHES, ACR_LATENCY_5 | ACR_CACHES);
    sqm_register_await(FLASH_ACR, ACR_LATENCY_MASK, ACR_LATENCY_5);

    sqm_register_change(RCC_CFGR, CFGR_SW_MASK, CFGR_SW_PLL);
    sqm_register_await(RCC_CFGR, CFGR_SWS_MASK, CFGR_SWS_PLL);
    for (volatile int32_t i = 0; i < 60; ++i) { /* each turn takes more than one cycle of 60 MHz */
    }
    sqm_register_change(RCC_CFGR, CFGR_HPRE_MASK, CFGR_HPRE_1);
}

/* UM2179: the ST-LINK's virtual COM port is wired to PG7 (LPUART1_TX) and PG8 (LPUART1_RX). */
static void start_pins(void)
{
    /* "Independent I/O supply rail": PG2..PG15 are supplied by VDDIO2 and isolated until told that
     * it is present. */
    sqm_register_change(PWR_CR2, CR2_IOSV, CR2_IOSV);

    sqm_register_enable(RCC_AHB2ENR, AHB2ENR_GPIOG);
    /* AF8 in ST's pin data (stm32l4r5z(g-i)tx-pinctrl.dtsi). The function first, then the mode: no
     * glitch. */
    sqm_register_change(GPIOG_AFRL, 0xFu << 28, 8u << 28);
    sqm_register_change(GPIOG_AFRH, 0xFu << 0, 8u << 0);
    sqm_register_change(GPIOG_OSPEEDR, 3u << 14, 1u << 14); /* medium: enough for 1 Mbaud */
    sqm_register_change(GPIOG_MODER, 0xFu << 14, 0xAu << 14);

    sqm_register_change(RCC_CCIPR, CCIPR_LPUART1, 0);
    sqm_register_enable(RCC_APB1ENR2, APB1ENR2_LPUART1);
}

void sqm_soc_start(void)
{
    start_clock();
    start_pins();
}
