/*
 * Runs nests on what comes over the UART, one case after the other, so that one image serves any
 * number of shapes: parameters are not folded into the loops here.
 *
 * A case is nine words, then its parts one behind the other, each filled up to whole words: params,
 * input, weights, meaning, table. The words: nest (0 conv2d, 1 dense), bits of the weights, bytes
 * of the five parts, of scratch and of output. The answer is the output, then a word: 1 iff a byte
 * before or behind output or scratch was written.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>

#include "kernels/armv7em_dsp/conv2d.h"
#include "kernels/armv7em_dsp/dense.h"
#include "kernels/armv7em_dsp/meta.h"
#include "sqm/hal.h"

enum { PARAMS, INPUT, WEIGHTS, MEANING, TABLE, PARTS };

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
           : bits == 3 ? sqm_unpack_s8_w3_1x4__armv7em_dsp
                       : NULL;
}

static void run_conv2d(uint32_t bits, uint8_t *const part[PARTS], uint8_t *scratch, uint8_t *output)
{
    const bool planes = bits == 6 || bits == 5 || bits == 3;
    sqm_gemm_block *const gemm = bits == 4   ? sqm_gemm_s8_w4_2x4__armv7em_dsp
                                 : bits == 2 ? sqm_gemm_s8_w2_2x8__armv7em_dsp
                                             : sqm_gemm_s8_w8_2x4__armv7em_dsp;
    sqm_conv2d__armv7em_dsp(
        (const sqm_conv2d__armv7em_dsp_params *)(const void *)part[PARAMS], gemm,
        bits == 2 ? sqm_unpack_s8_w2_1x8__armv7em_dsp : unpack_of(bits),
        (const int8_t *)part[INPUT], (const uint32_t *)(const void *)part[WEIGHTS],
        planes ? (const uint32_t *)(const void *)part[MEANING] : NULL,
        (const int32_t *)(const void *)part[TABLE], (int8_t *)scratch, (int8_t *)output);
}

static void run_dense(uint32_t bits, uint8_t *const part[PARTS], uint8_t *scratch, uint8_t *output)
{
    sqm_gemv_block *const gemv = bits == 4   ? sqm_gemv_s8_w4_1x4__armv7em_dsp
                                 : bits == 2 ? sqm_gemv_s8_w2_1x8__armv7em_dsp
                                             : sqm_gemv_s8_w8_1x4__armv7em_dsp;
    sqm_dense__armv7em_dsp(
        (const sqm_dense__armv7em_dsp_params *)(const void *)part[PARAMS], gemv, unpack_of(bits),
        (const int8_t *)part[INPUT], (const uint32_t *)(const void *)part[WEIGHTS],
        (const uint32_t *)(const void *)part[MEANING], (const int32_t *)(const void *)part[TABLE],
        (int8_t *)scratch, (int8_t *)output);
}

int main(void)
{
    sqm_soc_start();
    sqm_uart_open();
    for (;;) {
        uint32_t head[2 + PARTS + 2];
        uint8_t *part[PARTS];
        uint8_t *next = memory;

        read_bytes((uint8_t *)head, sizeof head);
        for (int32_t i = 0; i < PARTS; ++i) {
            const uint32_t bytes = (head[2 + i] + 3u) & ~3u;
            part[i] = next;
            read_bytes(next, bytes);
            next += bytes;
        }
        uint8_t *const scratch = next + GUARD_BYTES;
        const uint32_t scratch_bytes = head[2 + PARTS];
        uint8_t *const output = scratch + ((scratch_bytes + 3u) & ~3u) + 2 * GUARD_BYTES;
        const uint32_t output_bytes = head[2 + PARTS + 1];
        uint8_t *const guards[4] = {next, scratch + scratch_bytes, output - GUARD_BYTES,
                                    output + output_bytes};
        for (int32_t i = 0; i < 4; ++i) {
            fill_guard(guards[i]);
        }
        (head[0] == 0 ? run_conv2d : run_dense)(head[1], part, scratch, output);
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
