/* SPDX-License-Identifier: Apache-2.0 */
/* Arm PrimeCell PL011 (DDI 0183), as RP2040 and RP2350 have it (hardware/regs/uart.h of pico-sdk).
 * Its FIFOs are on. */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

#define UART_DR    (SQM_UART_BASE + 0x00u)
#define UART_FR    (SQM_UART_BASE + 0x18u)
#define UART_IBRD  (SQM_UART_BASE + 0x24u)
#define UART_FBRD  (SQM_UART_BASE + 0x28u)
#define UART_LCR_H (SQM_UART_BASE + 0x2Cu)
#define UART_CR    (SQM_UART_BASE + 0x30u)

#define FR_BUSY     (1u << 3)
#define FR_RX_EMPTY (1u << 4)
#define FR_TX_FULL  (1u << 5)
#define LCR_H_FIFOS (1u << 4)
#define LCR_H_8BITS (3u << 5)
#define CR_ENABLE   (1u << 0 | 1u << 8 | 1u << 9) /* UARTEN, TXE, RXE */

/* Sixteenths of a bit time, in 64ths: clock / (16 * baud) * 64, rounded. */
#define DIVISOR ((8ull * SQM_UART_CLOCK_HZ / SQM_UART_BAUD + 1) / 2)

_Static_assert(DIVISOR >= 64 && DIVISOR <= 0xFFFFull * 64, "this UART cannot make SQM_UART_BAUD");

void sqm_uart_open(void)
{
    SQM_REGISTER(UART_CR) = 0;
    SQM_REGISTER(UART_IBRD) = (uint32_t)(DIVISOR / 64);
    SQM_REGISTER(UART_FBRD) = (uint32_t)(DIVISOR % 64);
    SQM_REGISTER(UART_LCR_H) = LCR_H_8BITS | LCR_H_FIFOS; /* latches the divisors, too */
    SQM_REGISTER(UART_CR) = CR_ENABLE;
}

int32_t sqm_uart_read(void)
{
    while ((SQM_REGISTER(UART_FR) & FR_RX_EMPTY) != 0) {
    }
    const uint32_t word =
        SQM_REGISTER(UART_DR); /* bits 8 to 11 tell of errors; the CRC finds them */
    return (int32_t)(word & 0xFFu);
}

void sqm_uart_write(uint8_t byte)
{
    sqm_register_await(UART_FR, FR_TX_FULL, 0);
    SQM_REGISTER(UART_DR) = byte;
}

void sqm_uart_flush(void)
{
    sqm_register_await(UART_FR, FR_BUSY, 0);
}
