/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model at work: timed as a whole, timed operator by operator, or stepped through. Whatever is
 * timed has nothing between the two reads of the counter but the call.
 */
#ifndef SQM_PROTOCOL_RUNS_H
#define SQM_PROTOCOL_RUNS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * What no other file knows while it is compiled, so that all code beside the model is the same in
 * every image of one network.
 */
extern const uint32_t sqm_run_arena_bytes;

/** What INVOKE answers; see PROTOCOL.md. */
typedef struct {
    uint64_t cycles;
    uint32_t input_crc;
    uint32_t output_crc;
} sqm_run;

/**
 * Run the model on the input that is in the arena.
 *
 * @param profile  operator by operator; then the cycles are their sum.
 */
sqm_run sqm_run_model(bool profile);

/** Cycles of an operator at the last run with profile. 0 <= index < BOUND_OPERATORS. */
uint32_t sqm_run_cycles_of(uint32_t index);

/** A part of the input was written from `offset` on. Once all parts are, the next step is operator
 * 0.
 */
void sqm_run_input_written(uint32_t offset);

/**
 * Run one operator, unless it is the one that ran last.
 *
 * @return false iff the input is not there, or an operator before this one has not run on it.
 */
bool sqm_run_step(uint32_t index);

/** Cycles of a loop of so many rounds, each a load, an addition, a store and a branch. */
uint32_t sqm_run_spin(uint32_t rounds);

#endif
