/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sqm/hal.h"
#include "sqm/inputs.h"
#include "sqm_binding.h"

#define MOST_OUT (1u << 22) /* whoever writes more has lost its way */

int8_t *fuzzed_arena;

static const uint8_t *incoming;
static size_t left;
static size_t written;
static int32_t interrupts_off;

void machine_start(const uint8_t *bytes, size_t count)
{
    if (fuzzed_arena == NULL) {
        fuzzed_arena = malloc(BOUND_ARENA_BYTES);
        assert(fuzzed_arena != NULL);
    }
    memset(fuzzed_arena, 0, BOUND_ARENA_BYTES);
    incoming = bytes;
    left = count;
    written = 0;
    assert(interrupts_off == 0);
}

void fuzzed_invoke_operator(int32_t index)
{
    assert(index >= 0 && index < BOUND_OPERATORS);
    BOUND_OUTPUT()[index] = (int8_t)(BOUND_INPUT()[index] ^ 1);
}

/* ---- HAL ---- */

void sqm_soc_start(void)
{
}

void sqm_interrupts_disable(void)
{
    assert(interrupts_off == 0); /* not nested */
    interrupts_off = 1;
}

void sqm_interrupts_enable(void)
{
    assert(interrupts_off == 1);
    interrupts_off = 0;
}

void sqm_uart_open(void)
{
}

int32_t sqm_uart_read(void)
{
    assert(interrupts_off == 0);
    if (left == 0) {
        return -1;
    }
    --left;
    return *incoming++;
}

void sqm_uart_write(uint8_t byte)
{
    (void)byte;
    ++written;
    assert(written < MOST_OUT);
}

void sqm_uart_flush(void)
{
}

uint32_t sqm_cycles_now(void)
{
    static uint32_t cycles;
    return cycles += 1000;
}

void sqm_cycles_start(void)
{
}

uint8_t sqm_cycles_source(void)
{
    return 1;
}

void sqm_stack_paint(void)
{
}

uint32_t sqm_stack_used_bytes(void)
{
    return 100;
}

uint32_t sqm_stack_reserved_bytes(void)
{
    return 200;
}

void sqm_edge_open(void)
{
}

void sqm_edge_begin(void)
{
    assert(interrupts_off == 1);
}

void sqm_edge_end(void)
{
    assert(interrupts_off == 1);
}

/* ---- Inputs that the image carries ---- */

static const int8_t carried[2][BOUND_INPUT_BYTES];

uint32_t sqm_inputs_count(void)
{
    return 2;
}

const int8_t *sqm_inputs_at(uint32_t index)
{
    assert(index < 2);
    return carried[index];
}
