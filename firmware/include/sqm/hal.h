/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bench firmware needs of a machine. Each function has one implementation in an image;
 * CMake picks the files by the words of the board (SQM_SOC, SQM_UART_DRIVER, SQM_CYCLE_COUNTER).
 */
#ifndef SQM_HAL_H
#define SQM_HAL_H

#include <stdint.h>

/* ---- SoC: soc/<soc>, soc/cortex_m, soc/riscv ---- */

/** Bring up clocks and pins, once, before anything else. Afterwards the core runs at SQM_CLOCK_HZ.
 */
void sqm_soc_start(void);

/** Keep interrupts out of a timed region; not nested. Faults still get through. */
void sqm_interrupts_disable(void);
void sqm_interrupts_enable(void);

/**
 * Microseconds since some moment, modulo 2^32, from a timer that runs by the core's oscillator.
 * Only SoCs whose cycle counter is SysTick have it.
 */
uint32_t sqm_soc_microseconds(void);

/* ---- UART: hal/uart_<driver>.c ---- */

/** Set the baud rate and enable both directions: 8 data bits, no parity, 1 stop bit. */
void sqm_uart_open(void);

/** Wait for a byte. @return 0..255, or -1 when the stream has ended, which happens on a host only.
 */
int32_t sqm_uart_read(void);

/** Queue or send a byte; waits while there is no room. */
void sqm_uart_write(uint8_t byte);

/** Wait until everything written has left. */
void sqm_uart_flush(void);

/* ---- Cycle counter: hal/cycle_<counter>.c ---- */

/** Start the counter and find out whether it counts. */
void sqm_cycles_start(void);

/**
 * Read the counter, which wraps at 2^32. Never inlined: simulators take the symbol as a marker, and
 * the last two calls before a reply to INVOKE bracket the run.
 */
uint32_t sqm_cycles_now(void);

/** @return 0: there is no counter, or it stands still; 1: Arm's DWT; 2: Arm's SysTick; 3: RISC-V's
 * mcycle; 4: ESP32-C3's mpccr. */
uint8_t sqm_cycles_source(void);

/* ---- Stack: hal/stack_<way>.c ---- */

/** Fill the free part of the stack with a pattern. */
void sqm_stack_paint(void);

/** @return bytes between the top and the deepest word that lost its pattern; 0 on a host. */
uint32_t sqm_stack_used_bytes(void);

/** @return bytes that the linker script sets aside; 0 on a host. */
uint32_t sqm_stack_reserved_bytes(void);

/* ---- Edges for a power analyser: hal/edge_<way>.c ---- */

/** Make the pin an output at high. */
void sqm_edge_open(void);

/** The pin falls right before the timed region, and rises right behind it. */
void sqm_edge_begin(void);
void sqm_edge_end(void);

#endif
