/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pin that is low in the timed region, on STM32L4+. SQM_EDGE_PORT (0: A) and SQM_EDGE_PIN choose
 * it. Registers: RM0432 "RCC registers" (RCC_AHB2ENR) and "GPIO registers".
 */
#include "hal/register.h"
#include "sqm/hal.h"

#define RCC_AHB2ENR (0x40021000u + 0x4Cu)
#define GPIO        (0x48000000u + 0x400u * SQM_EDGE_PORT)
#define GPIO_MODER  (GPIO + 0x00u)
#define GPIO_BSRR   (GPIO + 0x18u)

#define ENR_PORT     (1u << SQM_EDGE_PORT)
#define MODER_MASK   (3u << (2 * SQM_EDGE_PIN))
#define MODER_OUTPUT (1u << (2 * SQM_EDGE_PIN))
#define BSRR_SET     (1u << SQM_EDGE_PIN)
#define BSRR_RESET   (1u << (SQM_EDGE_PIN + 16))

_Static_assert(SQM_EDGE_PORT <= 8 && SQM_EDGE_PIN <= 15, "ports A to I, pins 0 to 15");

void sqm_edge_open(void)
{
    sqm_register_enable(RCC_AHB2ENR, ENR_PORT); /* the clock takes two cycles to arrive */
    SQM_REGISTER(GPIO_BSRR) = BSRR_SET;
    sqm_register_change(GPIO_MODER, MODER_MASK, MODER_OUTPUT);
}

void sqm_edge_begin(void)
{
    SQM_REGISTER(GPIO_BSRR) = BSRR_RESET;
}

void sqm_edge_end(void)
{
    SQM_REGISTER(GPIO_BSRR) = BSRR_SET;
}
