/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pin that is low in the timed region, on ESP32-C3: SQM_EDGE_PIN by the GPIO matrix:
 * gpio_reg.h, gpio_sig_map.h and io_mux_reg.h of ESP-IDF.
 */
#include "hal/register.h"
#include "sqm/hal.h"

#define GPIO             0x60004000u
#define GPIO_OUT_W1TS    (GPIO + 0x08u)
#define GPIO_OUT_W1TC    (GPIO + 0x0Cu)
#define GPIO_ENABLE_W1TS (GPIO + 0x24u)
#define GPIO_OUT_SEL_CFG (GPIO + 0x554u + 4u * SQM_EDGE_PIN)
#define IO_MUX_GPIO      (0x60009004u + 4u * SQM_EDGE_PIN)

#define OUT_SEL_GPIO_OUT  128u /* the bit of GPIO_OUT, no peripheral's signal */
#define IO_MUX_MCU_SEL    (7u << 12)
#define MCU_SEL_TO_MATRIX (1u << 12)
#define PIN               (1u << SQM_EDGE_PIN)

_Static_assert(SQM_EDGE_PIN <= 21, "GPIO 0 to 21");

void sqm_edge_open(void)
{
    SQM_REGISTER(GPIO_OUT_W1TS) = PIN;
    SQM_REGISTER(GPIO_OUT_SEL_CFG) = OUT_SEL_GPIO_OUT;
    SQM_REGISTER(GPIO_ENABLE_W1TS) = PIN;
    sqm_register_change(IO_MUX_GPIO, IO_MUX_MCU_SEL, MCU_SEL_TO_MATRIX);
}

void sqm_edge_begin(void)
{
    SQM_REGISTER(GPIO_OUT_W1TC) = PIN;
}

void sqm_edge_end(void)
{
    SQM_REGISTER(GPIO_OUT_W1TS) = PIN;
}
