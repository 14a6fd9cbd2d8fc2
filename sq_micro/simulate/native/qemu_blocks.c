/* SPDX-License-Identifier: Apache-2.0 */
/**
 * QEMU TCG plugin: the block counts of block_table.h from qemu-system-*, as CSV.
 *
 *     -plugin qemu_blocks.so,out=counts.csv,marker=0x080001a4
 *
 * out      file to write
 * isa      `thumb` where the code is (optional)
 * marker   address of a function (optional). Nothing is counted until it is entered; at that and
 *          each further entry the counts up to there are written, so that two of them frame what
 *          lies between two calls. Without it all is counted.
 *
 * The file: a line with the columns, then a table for each entry of the marker and one for QEMU's
 * exit. A line `# marker` or `# exit` begins each; rows of a table keep their order in the next.
 *
 * The prototypes below are our own, written from QEMU's documentation of the plugin interface:
 * no QEMU header is needed to build this file. SQM_QEMU_PLUGIN_VERSION is 1 up to QEMU 8 and 2
 * from QEMU 9 on; the functions used here are the same in both.
 */
#include "block_table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SQM_QEMU_PLUGIN_VERSION
#define SQM_QEMU_PLUGIN_VERSION 1
#endif

#define SQM_EXPORT __attribute__((visibility("default")))
#define SQM_ROWS   65536u
#define SQM_SLOTS  (4u * SQM_ROWS)

/* ---- What we use of QEMU's plugin interface ---- */

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*translated)(qemu_plugin_id_t,
                                                              struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                          void (*entered)(unsigned int, void *),
                                          enum qemu_plugin_cb_flags flags, void *user_data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*ended)(qemu_plugin_id_t, void *),
                                    void *user_data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

SQM_EXPORT int qemu_plugin_version = SQM_QEMU_PLUGIN_VERSION;
SQM_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
                                   char **argv);

/* ---- The plugin ---- */

static sqm_block rows[SQM_ROWS];
static uint32_t slots[SQM_SLOTS];
static sqm_block_table table = {rows, slots, SQM_ROWS, SQM_SLOTS - 1u, 0, 0, NULL};
static uint64_t marker;
static uint64_t counting = 1;
static FILE *output;
static bool thumb;

static void write_table(const char *when)
{
    fprintf(output, "# %s lost=%" PRIu64 " current=%" PRId64 "\n", when, table.lost,
            table.current != NULL ? (int64_t)(table.current - rows) : -1);
    for (uint64_t i = 0; i < table.used; i++) {
        fprintf(output, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
                rows[i].address, rows[i].bytes, rows[i].executions, rows[i].fall_out,
                rows[i].fall_in, rows[i].mispredicted);
    }
}

static void block_entered(unsigned int cpu, void *user_data)
{
    sqm_block *row = user_data;
    const bool marked = marker != 0 && row->address == marker;
    (void)cpu;
    if (marked) {
        counting = 1;
    }
    sqm_block_enter(&table, row, counting);
    if (marked) {
        write_table("marker");
    }
}

static void block_lost(unsigned int cpu, void *user_data)
{
    (void)cpu;
    (void)user_data;
    table.lost += 1;
    table.current = NULL;
}

/* QEMU looks at the instruction behind a block to see whether it crosses a page, and adds what it
 * has read there to the size of the last one of the block. Thumb's own rule says how long that is.
 */
static size_t insn_bytes(const struct qemu_plugin_insn *insn)
{
    if (thumb) {
        const uint8_t *code = qemu_plugin_insn_data(insn);
        return (code[1] >> 3) >= 0x1D ? 4 : 2; /* DDI 0403E, A5.1: 0b11101, 0b11110, 0b11111 */
    }
    return qemu_plugin_insn_size(insn);
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    uint64_t bytes = 0;
    const size_t count = qemu_plugin_tb_n_insns(tb);
    (void)id;
    for (size_t i = 0; i < count; i++) {
        bytes += insn_bytes(qemu_plugin_tb_get_insn(tb, i));
    }
    sqm_block *row = sqm_block_find(&table, qemu_plugin_tb_vaddr(tb), bytes);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, row != NULL ? block_entered : block_lost,
                                         QEMU_PLUGIN_CB_NO_REGS, row);
}

static void qemu_ended(qemu_plugin_id_t id, void *user_data)
{
    (void)id;
    (void)user_data;
    write_table("exit");
    fclose(output);
}

SQM_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
                                   char **argv)
{
    const char *path = NULL;
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            path = argv[i] + 4;
        } else if (strcmp(argv[i], "isa=thumb") == 0) {
            thumb = true;
        } else if (strncmp(argv[i], "marker=", 7) == 0) {
            marker = strtoull(argv[i] + 7, NULL, 0) & ~1ull; /* bit 0 of a symbol says Thumb */
            counting = 0;
        } else {
            fprintf(stderr, "qemu_blocks: unknown argument '%s'\n", argv[i]);
            return 1;
        }
    }
    if (path == NULL) {
        fprintf(stderr, "qemu_blocks: out=FILE is missing\n");
        return 1;
    }
    output = fopen(path, "w");
    if (output == NULL) {
        perror(path);
        return 1;
    }
    fprintf(output, "address,bytes,executions,fall_out,fall_in,mispredicted\n");
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    qemu_plugin_register_atexit_cb(id, qemu_ended, NULL);
    return 0;
}
