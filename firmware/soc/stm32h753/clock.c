/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STM32H753: the core at 400 MHz from the internal 64 MHz oscillator, its caches on, and USART3 on
 * PD8 and PD9. 480 MHz would need the highest voltage scale, which not every revision of the
 * silicon has. Titles in quotes are sections of RM0433; addresses and bits as in
 * stm32h753xx.h of ST's cmsis_device_h7.
 */
#include "board_config.h"
#include "hal/register.h"
#include "soc/cortex_m/caches.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 400000000, "this file sets 400 MHz");
_Static_assert(SQM_UART_CLOCK_HZ == 100000000, "USART3 takes PCLK1, a quarter of the core's clock");
_Static_assert(SQM_UART_BASE == 0x40004800, "only the pins of USART3 are set here");

#define PWR_CSR1      0x58024804u
#define PWR_CR3       0x5802480Cu
#define PWR_D3CR      0x58024818u
#define RCC_CR        0x58024400u
#define RCC_CFGR      0x58024410u
#define RCC_D1CFGR    0x58024418u
#define RCC_D2CFGR    0x5802441Cu
#define RCC_D3CFGR    0x58024420u
#define RCC_PLLCKSELR 0x58024428u
#define RCC_PLLCFGR   0x5802442Cu
#define RCC_PLL1DIVR  0x58024430u
#define RCC_AHB4ENR   0x580244E0u
#define RCC_APB1LENR  0x580244E8u
#define FLASH_ACR     0x52002000u
#define GPIOD_MODER   0x58020C00u
#define GPIOD_AFRH    0x58020C24u

#define CR3_SUPPLY_MASK (7u << 0) /* SCUEN, LDOEN, BYPASS */
#define CR3_LDOEN       (1u << 1)
#define CSR1_ACTVOSRDY  (1u << 13)
#define D3CR_VOS_MASK   (3u << 14)
#define D3CR_VOS_1      (3u << 14)
#define D3CR_VOSRDY     (1u << 13)

#define CR_PLL1ON  (1u << 24)
#define CR_PLL1RDY (1u << 25)

#define PLL_SOURCE_MASK  (3u << 0 | 0x3Fu << 4)
#define PLL_SOURCE_HSI_4 (0u << 0 | 4u << 4)
#define PLLCFGR_1_MASK   (0xFu << 0 | 7u << 16)
#define PLLCFGR_1        (3u << 2 | 1u << 16) /* input of 8 to 16 MHz, wide VCO, output P alone */
#define PLL1_N_50_P_2    (49u << 0 | 1u << 9 | 1u << 16 | 1u << 24)

#define D1CFGR_MASK   (0xFu << 0 | 7u << 4 | 0xFu << 8)
#define D1CFGR_BUS_2  (8u << 0 | 4u << 4) /* AXI and AHB half of the core, APB3 half of that */
#define D2CFGR_MASK   (7u << 4 | 7u << 8)
#define D2CFGR_APB_2  (4u << 4 | 4u << 8)
#define D3CFGR_MASK   (7u << 4)
#define D3CFGR_APB_2  (4u << 4)
#define CFGR_SW_MASK  (7u << 0)
#define CFGR_SW_PLL1  (3u << 0)
#define CFGR_SWS_MASK (7u << 3)
#define CFGR_SWS_PLL1 (3u << 3)

#define ACR_MASK      (0x3Fu << 0)
#define ACR_LATENCY_2 (2u << 0 | 2u << 4) /* WRHIGHFREQ as well */

#define AHB4ENR_GPIOD   (1u << 3)
#define APB1LENR_USART3 (1u << 18)

static void start_clock(void)
{
    /* "Power supply configuration": to be written once, before the voltage scale. */
    sqm_register_change(PWR_CR3, CR3_SUPPLY_MASK, CR3_LDOEN);
    sqm_register_await(PWR_CSR1, CSR1_ACTVOSRDY, CSR1_ACTVOSRDY);
    sqm_register_change(PWR_D3CR, D3CR_VOS_MASK, D3CR_VOS_1);
    sqm_register_await(PWR_D3CR, D3CR_VOSRDY, D3CR_VOSRDY);

    /* 64 MHz / 4 * 50 / 2 = 400 MHz. */
    sqm_register_change(RCC_PLLCKSELR, PLL_SOURCE_MASK, PLL_SOURCE_HSI_4);
    sqm_register_change(RCC_PLLCFGR, PLLCFGR_1_MASK, PLLCFGR_1);
    SQM_REGISTER(RCC_PLL1DIVR) = PLL1_N_50_P_2;
    sqm_register_change(RCC_CR, CR_PLL1ON, CR_PLL1ON);
    sqm_register_await(RCC_CR, CR_PLL1RDY, CR_PLL1RDY);

    /* "FLASH recommended number of wait states": VOS1 and 200 MHz on AXI, 2. */
    sqm_register_change(FLASH_ACR, ACR_MASK, ACR_LATENCY_2);
    sqm_register_await(FLASH_ACR, ACR_MASK, ACR_LATENCY_2);
    sqm_register_change(RCC_D1CFGR, D1CFGR_MASK, D1CFGR_BUS_2);
    sqm_register_change(RCC_D2CFGR, D2CFGR_MASK, D2CFGR_APB_2);
    sqm_register_change(RCC_D3CFGR, D3CFGR_MASK, D3CFGR_APB_2);
    sqm_register_change(RCC_CFGR, CFGR_SW_MASK, CFGR_SW_PLL1);
    sqm_register_await(RCC_CFGR, CFGR_SWS_MASK, CFGR_SWS_PLL1);
}

/* UM2407: the ST-LINK's virtual COM port is wired to PD8 (USART3_TX) and PD9 (USART3_RX), AF7. */
static void start_pins(void)
{
    sqm_register_enable(RCC_AHB4ENR, AHB4ENR_GPIOD);
    sqm_register_change(GPIOD_AFRH, 0xFFu << 0, 0x77u << 0);
    sqm_register_change(GPIOD_MODER, 0xFu << 16, 0xAu << 16);
    sqm_register_enable(RCC_APB1LENR, APB1LENR_USART3);
}

void sqm_soc_start(void)
{
    sqm_caches_enable();
    start_clock();
    start_pins();
}
