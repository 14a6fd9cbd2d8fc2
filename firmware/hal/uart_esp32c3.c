/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UART of the ESP32-C3 (uart_reg.h of ESP-IDF), clocked by the crystal. The
 * boot ROM has left 8 data bits, no parity, 1 stop bit, and its pins connected.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

#define UART_FIFO     (SQM_UART_BASE + 0x00u)
#define UART_CLKDIV   (SQM_UART_BASE + 0x14u)
#define UART_STATUS   (SQM_UART_BASE + 0x1Cu)
#define UART_FSM      (SQM_UART_BASE + 0x6Cu)
#define UART_CLK_CONF (SQM_UART_BASE + 0x78u)

#define STATUS_RX_COUNT  0x3FFu
#define STATUS_TX_COUNT  (0x3FFu << 16)
#define FSM_TRANSMITTER  (0xFu << 4) /* 0: idle */
#define CLK_CONF_CRYSTAL (3u << 20)
#define CLK_CONF_ENABLE  (1u << 22 | 1u << 24 | 1u << 25) /* core, TX, RX */
#define TX_ROOM          (120u << 16)                     /* of 128 bytes */

/* Clock over baud in sixteenths: 12 bits and 4 bits. */
#define DIVISOR ((32ull * SQM_UART_CLOCK_HZ / SQM_UART_BAUD + 1) / 2)

_Static_assert(DIVISOR >= 16 * 3 && DIVISOR <= 0xFFFF, "this UART cannot make SQM_UART_BAUD");

void sqm_uart_open(void)
{
    SQM_REGISTER(UART_CLK_CONF) = CLK_CONF_CRYSTAL | CLK_CONF_ENABLE;
    SQM_REGISTER(UART_CLKDIV) = (uint32_t)(DIVISOR / 16 | DIVISOR % 16 << 20);
}

int32_t sqm_uart_read(void)
{
    while ((SQM_REGISTER(UART_STATUS) & STATUS_RX_COUNT) == 0) {
    }
    return (int32_t)(SQM_REGISTER(UART_FIFO) & 0xFFu);
}

void sqm_uart_write(uint8_t byte)
{
    while ((SQM_REGISTER(UART_STATUS) & STATUS_TX_COUNT) > TX_ROOM) {
    }
    SQM_REGISTER(UART_FIFO) = byte;
}

void sqm_uart_flush(void)
{
    sqm_register_await(UART_STATUS, STATUS_TX_COUNT, 0);
    sqm_register_await(UART_FSM, FSM_TRANSMITTER, 0);
}
