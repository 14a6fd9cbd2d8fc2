/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nRF52840: the core always runs at 64 MHz; the crystal makes it exact, which the baud rate needs.
 * UART0 on P0.06 and P0.08. Addresses and bits as in nrf52840.h and nrf52840_bitfields.h of
 * nrfx 4.2.1.
 */
#include "board_config.h"
#include "hal/register.h"
#include "sqm/hal.h"

_Static_assert(SQM_CLOCK_HZ == 64000000, "the core has no other clock");
_Static_assert(SQM_UART_CLOCK_HZ == 16000000, "UART0 runs from the 16 MHz peripheral clock");
_Static_assert(SQM_UART_BASE == 0x40002000, "only the pins of UART0 are set here");

#define CLOCK_TASKS_HFCLKSTART    0x40000000u
#define CLOCK_EVENTS_HFCLKSTARTED 0x40000100u
#define NVMC_ICACHECNF            0x4001E540u
#define P0_OUTSET                 0x50000508u
#define P0_DIRSET                 0x50000518u
#define P0_PIN_CNF                0x50000700u
#define UART_PSEL_TXD             (SQM_UART_BASE + 0x50Cu)
#define UART_PSEL_RXD             (SQM_UART_BASE + 0x514u)

#define ICACHECNF_ENABLE 1u
#define PIN_INPUT        0u /* connected, no pull */

/* nRF52840 DK hardware guide: the debugger's virtual serial port is wired to these. */
#define TXD_PIN 6u
#define RXD_PIN 8u

void sqm_soc_start(void)
{
    SQM_REGISTER(CLOCK_TASKS_HFCLKSTART) = 1;
    while (SQM_REGISTER(CLOCK_EVENTS_HFCLKSTARTED) == 0) {
    }
    SQM_REGISTER(NVMC_ICACHECNF) = ICACHECNF_ENABLE;
    SQM_REGISTER(P0_OUTSET) = 1u << TXD_PIN;
    SQM_REGISTER(P0_DIRSET) = 1u << TXD_PIN;
    SQM_REGISTER(P0_PIN_CNF + 4u * RXD_PIN) = PIN_INPUT;
    SQM_REGISTER(UART_PSEL_TXD) = TXD_PIN;
    SQM_REGISTER(UART_PSEL_RXD) = RXD_PIN;
}
