/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UART of the nRF51 and nRF52, the one without DMA (nrf52840.h and nrf52840_bitfields.h
 * of nrfx 4.2.1). sqm_soc_start has chosen its pins.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

#define TASKS_STARTRX (SQM_UART_BASE + 0x000u)
#define TASKS_STARTTX (SQM_UART_BASE + 0x008u)
#define EVENTS_RXDRDY (SQM_UART_BASE + 0x108u)
#define EVENTS_TXDRDY (SQM_UART_BASE + 0x11Cu)
#define UART_ENABLE   (SQM_UART_BASE + 0x500u)
#define RXD           (SQM_UART_BASE + 0x518u)
#define TXD           (SQM_UART_BASE + 0x51Cu)
#define BAUDRATE      (SQM_UART_BASE + 0x524u)
#define UART_CONFIG   (SQM_UART_BASE + 0x56Cu)

#define ENABLE_UART 4u

/* 2^32 * baud / 16 MHz, rounded to the 20 bits that the register has. */
#define BAUD_WORD                                                                                  \
    ((((unsigned long long)SQM_UART_BAUD << 32) / SQM_UART_CLOCK_HZ + 0x800ull) & ~0xFFFull)

_Static_assert(SQM_UART_BAUD >= 1200 && SQM_UART_BAUD <= 1000000,
               "this UART makes 1200 to 1M baud");

static uint8_t is_sending;

void sqm_uart_open(void)
{
    SQM_REGISTER(UART_CONFIG) = 0; /* no parity, no flow control */
    SQM_REGISTER(BAUDRATE) = (uint32_t)BAUD_WORD;
    SQM_REGISTER(UART_ENABLE) = ENABLE_UART;
    SQM_REGISTER(TASKS_STARTRX) = 1;
    SQM_REGISTER(TASKS_STARTTX) = 1;
}

int32_t sqm_uart_read(void)
{
    while (SQM_REGISTER(EVENTS_RXDRDY) == 0) {
    }
    SQM_REGISTER(EVENTS_RXDRDY) = 0; /* before the byte is taken: the next one sets it anew */
    return (int32_t)(SQM_REGISTER(RXD) & 0xFFu);
}

void sqm_uart_write(uint8_t byte)
{
    sqm_uart_flush();
    SQM_REGISTER(TXD) = byte;
    is_sending = 1;
}

/* TXDRDY comes when a byte has left, so there is nothing to wait for before the first one. */
void sqm_uart_flush(void)
{
    if (is_sending != 0) {
        while (SQM_REGISTER(EVENTS_TXDRDY) == 0) {
        }
        SQM_REGISTER(EVENTS_TXDRDY) = 0;
        is_sending = 0;
    }
}
