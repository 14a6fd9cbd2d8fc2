/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The block hook of the simulator. Unicorn calls it directly, without a detour through Python:
 * that is the difference between some 5 and some 300 million instructions per second.
 */
#include "block_table.h"

#if defined(_WIN32)
#define SQM_EXPORT __declspec(dllexport)
#else
#define SQM_EXPORT __attribute__((visibility("default")))
#endif

SQM_EXPORT void sqm_count_block(void *engine, uint64_t address, uint32_t bytes, void *user_data);

/** Signature of Unicorn's uc_cb_hookcode_t; user_data is a sqm_block_table. */
SQM_EXPORT void sqm_count_block(void *engine, uint64_t address, uint32_t bytes, void *user_data)
{
    sqm_block_table *table = user_data;
    (void)engine;
    sqm_block *row = sqm_block_find(table, address, bytes);
    if (row == NULL) {
        table->lost += 1;
        table->current = NULL;
        return;
    }
    sqm_block_enter(table, row, 1);
}
