/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/runs.h"

#include "protocol/crc32.h"
#include "sqm/hal.h"
#include "sqm_binding.h"

const uint32_t sqm_run_arena_bytes = BOUND_ARENA_BYTES;

static uint32_t operator_cycles[BOUND_OPERATORS];

/* One more than the operators that have run since the input was written; 0: there is no input. */
static uint32_t position;

static uint64_t timed_invoke(void)
{
    sqm_interrupts_disable();
    sqm_edge_begin();
    const uint32_t before = sqm_cycles_now();
    BOUND_INVOKE();
    const uint32_t after = sqm_cycles_now();
    sqm_edge_end();
    sqm_interrupts_enable();
    return after - before;
}

static uint64_t timed_operators(void)
{
    uint64_t sum = 0;
    sqm_interrupts_disable();
    for (int32_t i = 0; i < BOUND_OPERATORS; ++i) {
        const uint32_t before = sqm_cycles_now();
        BOUND_INVOKE_OPERATOR(i);
        operator_cycles[i] = sqm_cycles_now() - before;
        sum += operator_cycles[i];
    }
    sqm_interrupts_enable();
    return sum;
}

sqm_run sqm_run_model(bool profile)
{
    sqm_run run;
    run.input_crc = sqm_crc32((const uint8_t *)BOUND_INPUT(), BOUND_INPUT_BYTES);
    run.cycles = profile ? timed_operators() : timed_invoke();
    run.output_crc = sqm_crc32((const uint8_t *)BOUND_OUTPUT(), BOUND_OUTPUT_BYTES);
    position = 0;
    return run;
}

uint32_t sqm_run_cycles_of(uint32_t index)
{
    return operator_cycles[index];
}

void sqm_run_input_written(uint32_t offset)
{
    if (offset == 0) {
        position = 1;
    } else if (position != 1) {
        position = 0; /* the bytes before it were lost in a reset, or used up */
    }
}

bool sqm_run_step(uint32_t index)
{
    if (index + 1 == position) {
        BOUND_INVOKE_OPERATOR((int32_t)index);
        ++position;
    }
    return index + 2 == position;
}

uint32_t sqm_run_spin(uint32_t rounds)
{
    sqm_interrupts_disable();
    const uint32_t before = sqm_cycles_now();
    for (volatile uint32_t i = 0; i < rounds; i = i + 1) {
    }
    const uint32_t after = sqm_cycles_now();
    sqm_interrupts_enable();
    return after - before;
}
