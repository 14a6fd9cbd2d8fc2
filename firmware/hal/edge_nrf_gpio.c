/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pin that is low in the timed region, on nRF52840: SQM_EDGE_PORT and SQM_EDGE_PIN as in P1.02.
 * As in nrf52840.h of nrfx 4.2.1.
 */
#include "hal/register.h"
#include "sqm/hal.h"

#define GPIO        (0x50000000u + 0x300u * SQM_EDGE_PORT)
#define GPIO_OUTSET (GPIO + 0x508u)
#define GPIO_OUTCLR (GPIO + 0x50Cu)
#define GPIO_DIRSET (GPIO + 0x518u)

#define PIN (1u << SQM_EDGE_PIN)

_Static_assert(SQM_EDGE_PORT <= 1 && SQM_EDGE_PIN <= (SQM_EDGE_PORT == 0 ? 31 : 15),
               "P0.00 to P0.31, P1.00 to P1.15");

void sqm_edge_open(void)
{
    SQM_REGISTER(GPIO_OUTSET) = PIN;
    SQM_REGISTER(GPIO_DIRSET) = PIN;
}

void sqm_edge_begin(void)
{
    SQM_REGISTER(GPIO_OUTCLR) = PIN;
}

void sqm_edge_end(void)
{
    SQM_REGISTER(GPIO_OUTSET) = PIN;
}
