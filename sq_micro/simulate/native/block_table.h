/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Counts of executed basic blocks, as the Unicorn hook and the QEMU plugin both keep them.
 *
 * One row per block. Beside the executions a row counts how often the block was left by falling
 * through, and how often it was entered so: that says for every conditional branch how often it
 * was taken, hence a cost per block that is known without running it is enough. Cores that predict
 * branches pay for the exits that were not foreseen, so those are counted, too.
 *
 * This code runs on the host, never on a board.
 */
#ifndef SQM_BLOCK_TABLE_H
#define SQM_BLOCK_TABLE_H

#include <stddef.h>
#include <stdint.h>

/** Seven words; sq_micro/simulate/counters.py reads rows as a matrix in this order. */
typedef struct sqm_block {
    uint64_t address;
    uint64_t bytes;
    uint64_t executions;
    uint64_t fall_out;     /* exits to the instruction that follows the block */
    uint64_t fall_in;      /* entries from the block that ends right before this one */
    uint64_t mispredicted; /* exits of which a two-bit saturating counter expected the other */
    uint64_t predictor;    /* that counter: 2 and 3 expect a branch */
} sqm_block;

/** Memory belongs to the caller. All of it starts as zero. */
typedef struct sqm_block_table {
    sqm_block *rows;
    uint32_t *slots;    /* hash of the address -> row number + 1; 0 means free */
    uint64_t capacity;  /* rows; at most half of the slots, so that probing ends soon */
    uint64_t slot_mask; /* number of slots - 1, a power of two - 1 */
    uint64_t used;      /* rows in use, in the order of their first execution */
    uint64_t lost;      /* executions that found no free row: the counts are then void */
    sqm_block *current; /* entered last, NULL before the first */
} sqm_block_table;

/** The row of a block, made when it is new; NULL iff the table is full. */
static inline sqm_block *sqm_block_find(sqm_block_table *table, uint64_t address, uint64_t bytes)
{
    /* Code is dense: half the address is a perfect hash as long as the slots span the code. */
    uint64_t slot = (address >> 1) & table->slot_mask;
    while (table->slots[slot] != 0) {
        sqm_block *row = &table->rows[table->slots[slot] - 1];
        if (row->address == address && row->bytes == bytes) {
            return row;
        }
        slot = (slot + 1) & table->slot_mask;
    }
    if (table->used == table->capacity) {
        return NULL;
    }
    sqm_block *row = &table->rows[table->used];
    row->address = address;
    row->bytes = bytes;
    row->predictor = 1;
    table->used += 1;
    table->slots[slot] = (uint32_t)table->used;
    return row;
}

/** Count one entry. `counting` 0 follows the flow without counting. */
static inline void sqm_block_enter(sqm_block_table *table, sqm_block *row, uint64_t counting)
{
    sqm_block *previous = table->current;
    if (previous != NULL) {
        const uint64_t branched = row->address != previous->address + previous->bytes;
        if (!branched) {
            previous->fall_out += counting;
            row->fall_in += counting;
        }
        if (branched != (previous->predictor >= 2)) {
            previous->mispredicted += counting;
        }
        if (branched && previous->predictor < 3) {
            previous->predictor += 1;
        } else if (!branched && previous->predictor > 0) {
            previous->predictor -= 1;
        }
    }
    row->executions += counting;
    table->current = row;
}

#endif
