/*
 * Runs nests on what comes over the UART, one case after the other, so that one image serves any
 * number of shapes: parameters are not folded into the loops here.
 *
 * A case is ten words, then its parts one behind the other, each filled up to whole words: params,
 * input, weights, meaning (depthwise: steps), table. The words: nest (the order of `run`), bits of
 * the weights, flags, bytes of the five parts, of scratch and of output. The answer is the output,
 * then a word: 1 iff a byte before or behind output or scratch was written.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>

#include "kernels/armv7em_dsp/conv2d.h"
#include "kernels/armv7em_dsp/dense.h"
#include "kernels/armv7em_dsp/depthwise_conv2d.h"
#include "kernels/armv7em_dsp/depthwise_strips.h"
#include "kernels/armv7em_dsp/meta.h"
#include "sqm/hal.h"

enum { NEST, BITS, FLAGS, SIZES };
enum { PARAMS, INPUT, WEIGHTS, MEANING, TABLE, PARTS };
enum { IN_PLACE = 1, UNPACKS_FOUR = 2 }; /* flags: the output begins where the input does */
enum { COLUMNS_SHIFT = 8 }; /* behind it which of COLUMNS, and the last bit: with sums */

#define GUARD_BYTES 16
#define GUARD_VALUE 0x5A

static _Alignas(16) uint8_t memory[300 * 1024];

static void read_bytes(uint8_t *to, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        to[i] = (uint8_t)sqm_uart_read();
    }
}

static void fill_guard(uint8_t *at)
{
    for (int32_t i = 0; i < GUARD_BYTES; ++i) {
        at[i] = GUARD_VALUE;
    }
}

static bool guard_is_broken(const uint8_t *at)
{
    for (int32_t i = 0; i < GUARD_BYTES; ++i) {
        if (at[i] != GUARD_VALUE) {
            return true;
        }
    }
    return false;
}

static sqm_unpack_block *unpack_of(uint32_t bits)
{
    return bits == 6   ? sqm_unpack_s8_w6_1x4__armv7em_dsp
           : bits == 5 ? sqm_unpack_s8_w5_1x4__armv7em_dsp
           : bits == 4 ? sqm_unpack_s8_w4_1x4__armv7em_dsp
           : bits == 3 ? sqm_unpack_s8_w3_1x4__armv7em_dsp
           : bits == 2 ? sqm_unpack_s8_w2_1x8__armv7em_dsp
                       : NULL;
}

/* In the order of COLUMNS_KINDS in sq_micro/kernels/columns.py. */
#define COLUMNS(name) sqm_columns_##name, sqm_columns_##name##_and_sum
static sqm_columns_block *const columns[] = {
    COLUMNS(inside),        COLUMNS(words),        COLUMNS(words_apart), COLUMNS(runs),
    COLUMNS(bytes),         COLUMNS(nines),        COLUMNS(threes),      COLUMNS(padded_runs),
    COLUMNS(padded_threes), COLUMNS(padded_bytes),
};

static void run_conv2d(const uint32_t *head, uint8_t *const part[PARTS], uint8_t *scratch,
                       uint8_t *output)
{
    const uint32_t bits = head[BITS];
    const sqm_conv2d__armv7em_dsp_params *const p =
        (const sqm_conv2d__armv7em_dsp_params *)(const void *)part[PARAMS];
    const bool planes = bits < 8 && bits != 2 && p->unpacked_words != 0;
    sqm_gemm_block *const gemm = bits == 4 && !planes ? sqm_gemm_s8_w4_2x4__armv7em_dsp
                                 : bits == 2          ? sqm_gemm_s8_w2_2x8__armv7em_dsp
                                                      : sqm_gemm_s8_w8_2x4__armv7em_dsp;
    sqm_conv2d__armv7em_dsp(
        p, columns[head[FLAGS] >> COLUMNS_SHIFT], gemm,
        p->unpacked_words == 0 ? NULL : unpack_of(bits), (const int8_t *)part[INPUT],
        (const uint32_t *)(const void *)part[WEIGHTS],
        planes ? (const uint32_t *)(const void *)part[MEANING] : NULL,
        (const int32_t *)(const void *)part[TABLE], (int8_t *)scratch, (int8_t *)output);
}

static void run_dense(uint32_t bits, uint8_t *const part[PARTS], uint8_t *scratch, uint8_t *output)
{
    const bool planes = bits == 6 || bits == 5 || bits == 3;
    sqm_gemv_block *const gemv = bits == 8   ? sqm_gemv_s8_w8_1x4__armv7em_dsp
                                 : bits == 6 ? sqm_gemv_s8_w6_1x4__armv7em_dsp
                                 : bits == 5 ? sqm_gemv_s8_w5_1x4__armv7em_dsp
                                 : bits == 4 ? sqm_gemv_s8_w4_1x4__armv7em_dsp
                                 : bits == 3 ? sqm_gemv_s8_w3_1x4__armv7em_dsp
                                             : sqm_gemv_s8_w2_1x8__armv7em_dsp;
    sqm_dense__armv7em_dsp(
        (const sqm_dense__armv7em_dsp_params *)(const void *)part[PARAMS], gemv,
        (const int8_t *)part[INPUT], (const uint32_t *)(const void *)part[WEIGHTS],
        planes ? (const uint32_t *)(const void *)part[MEANING] : NULL,
        (const int32_t *)(const void *)part[TABLE], (int8_t *)scratch, (int8_t *)output);
}

/** Of depthwise weights: `pick`, or `unpack` four channels at a time, or neither for 8 bits. */
static sqm_pick_1x1 *pick_of(uint32_t bits, uint32_t flags)
{
    return bits == 8 || (flags & UNPACKS_FOUR) != 0 ? NULL
           : bits == 6                              ? sqm_pick_s8_w6_1x1__c
           : bits == 5                              ? sqm_pick_s8_w5_1x1__c
           : bits == 4                              ? sqm_pick_s8_w4_1x1__c
           : bits == 3                              ? sqm_pick_s8_w3_1x1__c
                                                    : sqm_pick_s8_w2_1x1__c;
}

static sqm_taps_1x4 *taps_of(uint32_t bits, uint32_t flags)
{
    return (flags & UNPACKS_FOUR) == 0 ? NULL
           : bits == 6                 ? sqm_taps_s8_w6_1x4__armv7em_dsp
           : bits == 5                 ? sqm_taps_s8_w5_1x4__armv7em_dsp
           : bits == 4                 ? sqm_taps_s8_w4_1x4__armv7em_dsp
           : bits == 3                 ? sqm_taps_s8_w3_1x4__armv7em_dsp
                                       : sqm_taps_s8_w2_1x4__armv7em_dsp;
}

static void run_depthwise(const uint32_t *head, uint8_t *const part[PARTS], const int8_t *input,
                          int8_t *scratch, int8_t *output)
{
    sqm_pick_1x1 *const pick = pick_of(head[BITS], head[FLAGS]);
    sqm_taps_1x4 *const unpack = taps_of(head[BITS], head[FLAGS]);
    const int8_t *const steps = head[SIZES + MEANING] == 0 ? NULL : (const int8_t *)part[MEANING];
    const int32_t *const table = (const int32_t *)(const void *)part[TABLE];

    if (head[NEST] == 2) {
        sqm_depthwise3x3__armv7em_dsp(
            (const sqm_depthwise3x3__armv7em_dsp_params *)(const void *)part[PARAMS], pick, unpack,
            input, part[WEIGHTS], steps, table, scratch, output);
    } else {
        sqm_depthwise_strips__armv7em_dsp(
            (const sqm_depthwise_strips__armv7em_dsp_params *)(const void *)part[PARAMS], pick,
            unpack, input, part[WEIGHTS], steps, table, scratch, output);
    }
}

static void run(const uint32_t *head, uint8_t *const part[PARTS], uint8_t *scratch, uint8_t *output)
{
    const uint8_t *input = part[INPUT];

    if ((head[FLAGS] & IN_PLACE) != 0) {
        for (uint32_t i = 0; i < head[SIZES + INPUT]; ++i) {
            output[i] = input[i];
        }
        input = output;
    }
    switch (head[NEST]) {
    case 0:
        run_conv2d(head, part, scratch, output);
        break;
    case 1:
        run_dense(head[BITS], part, scratch, output);
        break;
    default:
        run_depthwise(head, part, (const int8_t *)input, (int8_t *)scratch, (int8_t *)output);
    }
}

int main(void)
{
    sqm_soc_start();
    sqm_uart_open();
    for (;;) {
        uint32_t head[SIZES + PARTS + 2];
        uint8_t *part[PARTS];
        uint8_t *next = memory;

        read_bytes((uint8_t *)head, sizeof head);
        for (int32_t i = 0; i < PARTS; ++i) {
            const uint32_t bytes = (head[SIZES + i] + 3u) & ~3u;
            part[i] = next;
            read_bytes(next, bytes);
            next += bytes;
        }
        uint8_t *const scratch = next + GUARD_BYTES;
        const uint32_t scratch_bytes = head[SIZES + PARTS];
        uint8_t *const output = scratch + ((scratch_bytes + 3u) & ~3u) + 2 * GUARD_BYTES;
        const uint32_t output_bytes = head[SIZES + PARTS + 1];
        const bool longer_input =
            (head[FLAGS] & IN_PLACE) != 0 && head[SIZES + INPUT] > output_bytes;
        uint8_t *const end = output + (longer_input ? head[SIZES + INPUT] : output_bytes);
        uint8_t *const guards[4] = {next, scratch + scratch_bytes, output - GUARD_BYTES, end};
        for (int32_t i = 0; i < 4; ++i) {
            fill_guard(guards[i]);
        }
        run(head, part, scratch, output);
        for (uint32_t i = 0; i < output_bytes; ++i) {
            sqm_uart_write(output[i]);
        }
        uint8_t broken = 0;
        for (int32_t i = 0; i < 4; ++i) {
            broken |= (uint8_t)guard_is_broken(guards[i]);
        }
        for (int32_t i = 0; i < 4; ++i) {
            sqm_uart_write(i == 0 ? broken : 0);
        }
        sqm_uart_flush();
    }
}
