/* SPDX-License-Identifier: Apache-2.0 */
/* UART of SiFive's cores (FE310-G002 Manual v1p5, UART; bits as in freedom-metal). Eight bytes deep
 * both ways. */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

#define UART_TXDATA (SQM_UART_BASE + 0x00u)
#define UART_RXDATA (SQM_UART_BASE + 0x04u)
#define UART_TXCTRL (SQM_UART_BASE + 0x08u)
#define UART_RXCTRL (SQM_UART_BASE + 0x0Cu)
#define UART_IP     (SQM_UART_BASE + 0x14u)
#define UART_DIV    (SQM_UART_BASE + 0x18u)

#define DATA_FULL_OR_EMPTY (1u << 31)
#define CTRL_ENABLE        (1u << 0)
#define TXCTRL_WATERMARK_1 (1u << 16)
#define IP_TXWM            (1u << 0) /* fewer bytes wait than the watermark says */

#define DIVISOR (((2ull * SQM_UART_CLOCK_HZ / SQM_UART_BAUD + 1) / 2) - 1)

_Static_assert(DIVISOR >= 15 && DIVISOR <= 0xFFFF, "this UART cannot make SQM_UART_BAUD");

void sqm_uart_open(void)
{
    SQM_REGISTER(UART_DIV) = (uint32_t)DIVISOR;
    SQM_REGISTER(UART_TXCTRL) = CTRL_ENABLE | TXCTRL_WATERMARK_1;
    SQM_REGISTER(UART_RXCTRL) = CTRL_ENABLE;
}

int32_t sqm_uart_read(void)
{
    for (;;) {
        const uint32_t word = SQM_REGISTER(UART_RXDATA); /* the read takes the byte as well */
        if ((word & DATA_FULL_OR_EMPTY) == 0) {
            return (int32_t)(word & 0xFFu);
        }
    }
}

void sqm_uart_write(uint8_t byte)
{
    sqm_register_await(UART_TXDATA, DATA_FULL_OR_EMPTY, 0);
    SQM_REGISTER(UART_TXDATA) = byte;
}

void sqm_uart_flush(void)
{
    sqm_register_await(UART_IP, IP_TXWM, IP_TXWM);
}
