/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STM32F767: the core at 216 MHz from the internal 16 MHz oscillator, its caches on, and USART3 on
 * PD8 and PD9. Titles in quotes are sections of RM0410; addresses and bits as in stm32f767xx.h of
 * ST's cmsis_device_f7.
 */
#include "board_config.h"
#include "hal/register.h"
#include "soc/cortex_m/caches.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 216000000, "this file sets 216 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == 54000000, "USART3 takes PCLK1, a quarter of the core's clock");
_Static_assert(SQM_UART_BASE == 0x40004800, "only the pins of USART3 are set here");

#define RCC_CR      0x40023800u
#define RCC_PLLCFGR 0x40023804u
#define RCC_CFGR    0x40023808u
#define RCC_AHB1ENR 0x40023830u
#define RCC_APB1ENR 0x40023840u
#define PWR_CR1     0x40007000u
#define PWR_CSR1    0x40007004u
#define FLASH_ACR   0x40023C00u
#define GPIOD_MODER 0x40020C00u
#define GPIOD_AFRH  0x40020C24u

#define CR_PLLON  (1u << 24)
#define CR_PLLRDY (1u << 25)

#define PLL_M_8   (8u << 0) /* of the HSI, which is source 0 */
#define PLL_N_216 (216u << 6)
#define PLL_P_2   (0u << 16)
#define PLL_Q_9   (9u << 24)
#define PLL_R_2   (2u << 28)

#define CFGR_SW_MASK  (3u << 0)
#define CFGR_SW_PLL   (2u << 0)
#define CFGR_SWS_MASK (3u << 2)
#define CFGR_SWS_PLL  (2u << 2)
#define CFGR_DIVIDERS (0xFu << 4 | 0x3Fu << 10) /* HPRE; PPRE1, PPRE2 */
#define CFGR_APB1_4   (5u << 10)
#define CFGR_APB2_2   (4u << 13)

#define CR1_ODEN     (1u << 16)
#define CR1_ODSWEN   (1u << 17)
#define CSR1_ODRDY   (1u << 16)
#define CSR1_ODSWRDY (1u << 17)

#define ACR_LATENCY_7    (7u << 0)
#define ACR_PREFETCH_ART (3u << 8) /* PRFTEN, ARTEN */

#define APB1ENR_USART3 (1u << 18)
#define APB1ENR_PWR    (1u << 28)
#define AHB1ENR_GPIOD  (1u << 3)

/* "Entering Over-drive mode": above 180 MHz; while the PLL runs and before it is selected. */
static void start_clock(void)
{
    sqm_register_enable(RCC_APB1ENR, APB1ENR_PWR);

    /* 16 MHz / 8 * 216 / 2 = 216 MHz; scale 1 is the regulator's reset value. */
    SQM_REGISTER(RCC_PLLCFGR) = PLL_M_8 | PLL_N_216 | PLL_P_2 | PLL_Q_9 | PLL_R_2;
    sqm_register_change(RCC_CR, CR_PLLON, CR_PLLON);
    sqm_register_change(PWR_CR1, CR1_ODEN, CR1_ODEN);
    sqm_register_await(PWR_CSR1, CSR1_ODRDY, CSR1_ODRDY);
    sqm_register_change(PWR_CR1, CR1_ODSWEN, CR1_ODSWEN);
    sqm_register_await(PWR_CSR1, CSR1_ODSWRDY, CSR1_ODSWRDY);
    sqm_register_await(RCC_CR, CR_PLLRDY, CR_PLLRDY);

    /* "Relation between CPU clock frequency and Flash memory read time": 7 wait states. */
    SQM_REGISTER(FLASH_ACR) = ACR_LATENCY_7 | ACR_PREFETCH_ART;
    sqm_register_await(FLASH_ACR, 0xFu, ACR_LATENCY_7);
    sqm_register_change(RCC_CFGR, CFGR_DIVIDERS, CFGR_APB1_4 | CFGR_APB2_2);
    sqm_register_change(RCC_CFGR, CFGR_SW_MASK, CFGR_SW_PLL);
    sqm_register_await(RCC_CFGR, CFGR_SWS_MASK, CFGR_SWS_PLL);
}

/* UM1974: the ST-LINK's virtual COM port is wired to PD8 (USART3_TX) and PD9 (USART3_RX), AF7. */
static void start_pins(void)
{
    sqm_register_enable(RCC_AHB1ENR, AHB1ENR_GPIOD);
    sqm_register_change(GPIOD_AFRH, 0xFFu << 0, 0x77u << 0);
    sqm_register_change(GPIOD_MODER, 0xFu << 16, 0xAu << 16);
    sqm_register_enable(RCC_APB1ENR, APB1ENR_USART3);
}

void sqm_soc_start(void)
{
    sqm_caches_enable();
    start_clock();
    start_pins();
}
