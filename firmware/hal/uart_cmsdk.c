/* SPDX-License-Identifier: Apache-2.0 */
/*
 * APB UART of Arm's Cortex-M System Design Kit (DDI 0479, "APB UART"), as the MPS2 boards have it.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

#define UART_DATA    (SQM_UART_BASE + 0x00u)
#define UART_STATE   (SQM_UART_BASE + 0x04u)
#define UART_CTRL    (SQM_UART_BASE + 0x08u)
#define UART_BAUDDIV (SQM_UART_BASE + 0x10u)

#define STATE_TX_FULL    (1u << 0)
#define STATE_RX_FULL    (1u << 1)
#define STATE_RX_OVERRUN (1u << 3)
#define CTRL_TX_ENABLE   (1u << 0)
#define CTRL_RX_ENABLE   (1u << 1)

#define BAUDDIV ((SQM_UART_CLOCK_HZ + SQM_UART_BAUD / 2) / SQM_UART_BAUD)

_Static_assert(BAUDDIV >= 16 && BAUDDIV <= 0xFFFFF, "this UART cannot make SQM_UART_BAUD");

void sqm_uart_open(void)
{
    SQM_REGISTER(UART_BAUDDIV) = BAUDDIV;
    SQM_REGISTER(UART_CTRL) = CTRL_TX_ENABLE | CTRL_RX_ENABLE;
}

int32_t sqm_uart_read(void)
{
    for (;;) {
        const uint32_t state = SQM_REGISTER(UART_STATE);
        if ((state & STATE_RX_OVERRUN) != 0) {
            SQM_REGISTER(UART_STATE) = STATE_RX_OVERRUN; /* cleared by writing one */
        }
        if ((state & STATE_RX_FULL) != 0) {
            return (int32_t)(SQM_REGISTER(UART_DATA) & 0xFFu);
        }
    }
}

void sqm_uart_write(uint8_t byte)
{
    sqm_register_await(UART_STATE, STATE_TX_FULL, 0);
    SQM_REGISTER(UART_DATA) = byte;
}

void sqm_uart_flush(void)
{
    sqm_register_await(UART_STATE, STATE_TX_FULL, 0);
}
