/* SPDX-License-Identifier: Apache-2.0 */
/*
 * USART and LPUART of the STM32 families with the newer register layout (F0, F3, F7, G, H, L, U,
 * W). Polled and without FIFO: the host waits for each answer, so nothing arrives while the core is
 * busy. Registers and bits as in ST's cmsis_device_l4, _f7, _h7 and _u5.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

#define USART_CR1 (SQM_UART_BASE + 0x00u)
#define USART_BRR (SQM_UART_BASE + 0x0Cu)
#define USART_ISR (SQM_UART_BASE + 0x1Cu)
#define USART_ICR (SQM_UART_BASE + 0x20u)
#define USART_RDR (SQM_UART_BASE + 0x24u)
#define USART_TDR (SQM_UART_BASE + 0x28u)

#define CR1_UE (1u << 0)
#define CR1_RE (1u << 2)
#define CR1_TE (1u << 3)

#define ISR_ERRORS 0x0Fu /* PE, FE, NE, ORE; each has its clear bit at the same place of ICR */
#define ISR_RXNE   (1u << 5)
#define ISR_TC     (1u << 6)
#define ISR_TXE    (1u << 7)

/* RM0432 "LPUART baud rate generation": an LPUART divides 256 times the clock, BRR >= 0x300, 20
 * bits. RM0432 "USART baud rate generation": a USART divides the clock itself, BRR >= 16, 16 bits.
 */
#if SQM_UART_BASE == 0x40008000 /* LPUART1 of every family named above */
#define CLOCK_FACTOR 256ull
#define BRR_LEAST    0x300
#define BRR_MOST     0xFFFFF
#else
#define CLOCK_FACTOR 1ull
#define BRR_LEAST    16
#define BRR_MOST     0xFFFF
#endif
#define BRR ((CLOCK_FACTOR * SQM_UART_CLOCK_HZ + SQM_UART_BAUD / 2) / SQM_UART_BAUD)

_Static_assert(BRR >= BRR_LEAST && BRR <= BRR_MOST, "this UART cannot make SQM_UART_BAUD");

void sqm_uart_open(void)
{
    SQM_REGISTER(USART_CR1) = 0; /* BRR may be written only while the UART is off */
    SQM_REGISTER(USART_BRR) = (uint32_t)BRR;
    SQM_REGISTER(USART_CR1) = CR1_UE | CR1_RE | CR1_TE;
}

int32_t sqm_uart_read(void)
{
    for (;;) {
        const uint32_t flags = SQM_REGISTER(USART_ISR);
        if ((flags & ISR_ERRORS) != 0) {
            /* An overrun stops reception until it is cleared; the CRC finds the lost byte. */
            SQM_REGISTER(USART_ICR) = flags & ISR_ERRORS;
        }
        if ((flags & ISR_RXNE) != 0) {
            return (int32_t)(SQM_REGISTER(USART_RDR) & 0xFFu);
        }
    }
}

void sqm_uart_write(uint8_t byte)
{
    sqm_register_await(USART_ISR, ISR_TXE, ISR_TXE);
    SQM_REGISTER(USART_TDR) = byte;
}

void sqm_uart_flush(void)
{
    sqm_register_await(USART_ISR, ISR_TC, ISR_TC);
}
