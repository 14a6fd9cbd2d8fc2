/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pin that is low in the timed region, on FE310: SQM_EDGE_PIN of the only port. It has no
 * registers that set and clear single bits. FE310-G002 Manual v1p5, GPIO.
 */
#include "hal/register.h"
#include "sqm/hal.h"

#define GPIO_OUTPUT_EN  0x10012008u
#define GPIO_OUTPUT_VAL 0x1001200Cu
#define GPIO_IOF_EN     0x10012038u /* pins that belong to a UART or the like */

#define PIN (1u << SQM_EDGE_PIN)

_Static_assert(SQM_EDGE_PIN <= 31, "pins 0 to 31");

void sqm_edge_open(void)
{
    sqm_register_change(GPIO_OUTPUT_VAL, PIN, PIN);
    sqm_register_change(GPIO_OUTPUT_EN, PIN, PIN);
    sqm_register_change(GPIO_IOF_EN, PIN, 0);
}

void sqm_edge_begin(void)
{
    sqm_register_change(GPIO_OUTPUT_VAL, PIN, 0);
}

void sqm_edge_end(void)
{
    sqm_register_change(GPIO_OUTPUT_VAL, PIN, PIN);
}
