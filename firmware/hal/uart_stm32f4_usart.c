/* SPDX-License-Identifier: Apache-2.0 */
/*
 * USART of the STM32 families with the older register layout (F1, F2, F4, L1): one status and one
 * data register. As in stm32f407xx.h of ST's cmsis_device_f4. Polled; the host waits for each
 * answer.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

#define USART_SR  (SQM_UART_BASE + 0x00u)
#define USART_DR  (SQM_UART_BASE + 0x04u)
#define USART_BRR (SQM_UART_BASE + 0x08u)
#define USART_CR1 (SQM_UART_BASE + 0x0Cu)

#define SR_RXNE (1u << 5)
#define SR_TC   (1u << 6)
#define SR_TXE  (1u << 7)
#define CR1_RE  (1u << 2)
#define CR1_TE  (1u << 3)
#define CR1_UE  (1u << 13)

#define BRR ((2ull * SQM_UART_CLOCK_HZ / SQM_UART_BAUD + 1) / 2)

_Static_assert(BRR >= 16 && BRR <= 0xFFFF, "this UART cannot make SQM_UART_BAUD");

void sqm_uart_open(void)
{
    SQM_REGISTER(USART_BRR) = (uint32_t)BRR;
    SQM_REGISTER(USART_CR1) = CR1_UE | CR1_RE | CR1_TE;
}

int32_t sqm_uart_read(void)
{
    /* An overrun keeps RXNE set, and the pair of reads of SR and DR clears both. */
    sqm_register_await(USART_SR, SR_RXNE, SR_RXNE);
    return (int32_t)(SQM_REGISTER(USART_DR) & 0xFFu);
}

void sqm_uart_write(uint8_t byte)
{
    sqm_register_await(USART_SR, SR_TXE, SR_TXE);
    SQM_REGISTER(USART_DR) = byte;
}

void sqm_uart_flush(void)
{
    sqm_register_await(USART_SR, SR_TC, SR_TC);
}
