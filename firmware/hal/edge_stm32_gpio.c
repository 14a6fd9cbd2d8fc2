/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pin that is low in the timed region, on STM32: the GPIO ports of all families have the same
 * registers, pins.h of the SoC says where. SQM_EDGE_PORT (0: A) and SQM_EDGE_PIN choose the pin.
 * Offsets and bits as in ST's cmsis_device_l4, _f4, _f7, _h7 and _u5.
 */
#include "hal/register.h"
#include "pins.h"
#include "sqm/hal.h"

#define GPIO       (SQM_PINS_BASE + 0x400u * SQM_EDGE_PORT)
#define GPIO_MODER (GPIO + 0x00u)
#define GPIO_BSRR  (GPIO + 0x18u)

#define ENR_PORT     (1u << SQM_EDGE_PORT)
#define MODER_MASK   (3u << (2 * SQM_EDGE_PIN))
#define MODER_OUTPUT (1u << (2 * SQM_EDGE_PIN))
#define BSRR_SET     (1u << SQM_EDGE_PIN)
#define BSRR_RESET   (1u << (SQM_EDGE_PIN + 16))

_Static_assert(SQM_EDGE_PORT <= 10 && SQM_EDGE_PIN <= 15, "ports A to K, pins 0 to 15");

void sqm_edge_open(void)
{
    sqm_register_enable(SQM_PINS_CLOCK, ENR_PORT); /* the clock takes two cycles to arrive */
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
