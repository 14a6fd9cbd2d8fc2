/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pin that is low in the timed region, on RP2040 and RP2350: SQM_EDGE_PIN by the single-cycle IO
 * block, whose place is in pins.h of the SoC. Its clock.c has taken IO_BANK0 and PADS_BANK0 out of
 * reset for the UART.
 */
#include "hal/register.h"
#include "pins.h"
#include "sqm/hal.h"

#define CONTROL (SQM_PINS_CONTROL + 8u * SQM_EDGE_PIN)
#define PAD     (SQM_PINS_PADS + 4u * SQM_EDGE_PIN)

#define FUNCTION_SIO 5u
#define PIN          (1u << SQM_EDGE_PIN)

_Static_assert(SQM_EDGE_PIN <= 29, "GPIO 0 to 29");

void sqm_edge_open(void)
{
    SQM_REGISTER(SQM_PINS_OUT_SET) = PIN;
    SQM_REGISTER(SQM_PINS_OE_SET) = PIN;
    SQM_REGISTER(CONTROL) = FUNCTION_SIO;
    sqm_register_change(PAD, SQM_PINS_ISOLATION, 0);
}

void sqm_edge_begin(void)
{
    SQM_REGISTER(SQM_PINS_OUT_CLEAR) = PIN;
}

void sqm_edge_end(void)
{
    SQM_REGISTER(SQM_PINS_OUT_SET) = PIN;
}
