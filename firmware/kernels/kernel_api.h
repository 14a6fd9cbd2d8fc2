/*
 * The contract of each microkernel family, once for all widths and ISAs. A microkernel is a
 * function of one of these types; the nests take it as an argument, and the tests compare its
 * signature.
 *
 * The contracts hold by construction: code generation only emits calls that keep them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_KERNELS_KERNEL_API_H
#define SQM_KERNELS_KERNEL_API_H

#include <stdint.h>

/**
 * Dot product of k activations with one row of packed codes.
 *
 * @param[in] x             k activations, int8, any alignment.
 * @param     input_offset  -zero point of the activations, -127 ... 128.
 * @param[in] row           one row in the kernel's layout (README.md), any alignment; no byte
 *                          beyond it is read.
 * @param     k             any; a multiple of the kernel's k_multiple. Below 1 nothing is read.
 * @return  sum of (x[i] + input_offset) * v[i] over the stored codes v; the channel's step is not
 *          applied. |sum| <= 255 * 128 * k < 2^31 for k <= 65536.
 */
typedef int32_t sqm_dot_1x1(const int8_t *x, int32_t input_offset, const uint8_t *row, int32_t k);

/**
 * Four dot products that share the loads of x:
 *
 *   acc[j] += sum of (x[i] + input_offset) * w[j * row_stride + i]
 *
 * @param[in]     x             k activations, int8, any alignment.
 * @param         input_offset  -zero point of the activations, -127 ... 128.
 * @param[in]     w             four rows of int8 weights, row_stride bytes apart, any alignment.
 * @param         k             any; below 1 nothing is read.
 * @param[in,out] acc           four sums; that they fit is checked when the code is generated.
 */
typedef void sqm_dot_1x4(const int8_t *x, int32_t input_offset, const int8_t *w, int32_t row_stride,
                         int32_t k, int32_t acc[4]);

/**
 * Four dot products with weights below 8 bits, two channels a word:
 *
 *   acc[j] += sum of (x[i] + input_offset) * w[j][i]
 *
 * @param[in]     x             k activations, int8, any alignment.
 * @param         input_offset  -zero point of the activations, -127 ... 128.
 * @param[in]     words         2 * k: of tap i w[0][i] + 2^16 * w[1][i], w[2][i] + 2^16 * w[3][i].
 * @param         k             a multiple of `multiple`; below 1 nothing is read.
 * @param         multiple      1 or more; a constant, by which the loop is unrolled.
 * @param[in,out] acc           four sums; that they fit is checked when the code is generated.
 */
typedef void sqm_pairs_1x4(const int8_t *x, int32_t input_offset, const uint32_t *words, int32_t k,
                           int32_t multiple, int32_t acc[4]);

/**
 * One row of packed codes to int8 weights.
 *
 * @param[in]  row   one row in the kernel's layout, any alignment; no byte beyond it is read.
 * @param      k     codes in the row.
 * @param      step  what a code v means: 1: w = v; -1: w = -v; 2: w = 2v + 1 (2 bits only).
 * @param[out] out   k weights.
 */
typedef void sqm_unpack_1x1(const uint8_t *row, int32_t k, int32_t step, int8_t *out);

/**
 * Codes first, first + stride, ... of a run to int8 weights: a channel of a depthwise convolution.
 *
 * @param[in]  plane     the whole run in the kernel's layout, any alignment; no byte beyond it is
 *                       read.
 * @param      elements  codes in the run.
 * @param      first     index of the first code.
 * @param      stride    distance of the codes.
 * @param      count     how many; first + (count - 1) * stride < elements.
 * @param      step      as in sqm_unpack_1x1.
 * @param[out] out       count weights.
 */
typedef void sqm_pick_1x1(const uint8_t *plane, int32_t elements, int32_t first, int32_t stride,
                          int32_t count, int32_t step, int8_t *out);

/** Two pixels times a block of output channels, see armv7em_dsp/gemm.h: sums, or codes. */
struct sqm_gemm;
typedef void sqm_gemm_block(const struct sqm_gemm *g);
typedef sqm_gemm_block sqm_gemm_2x4;
typedef sqm_gemm_block sqm_gemm_2x8;

/** A column times blocks of output channels, see armv7em_dsp/gemv.h: sums, or codes. */
struct sqm_gemv;
typedef void sqm_gemv_block(const struct sqm_gemv *g);
typedef sqm_gemv_block sqm_gemv_1x4;
typedef sqm_gemv_block sqm_gemv_1x8;

/**
 * The weights of four neighbouring channels of a depthwise convolution.
 *
 * @param[in]  weights   the whole run in the kernel's layout; no byte beyond it is read.
 * @param      number    weights of a channel.
 * @param      channels  of the operator, a multiple of the kernel's k_multiple.
 * @param      channel   the first of the four, a multiple of 4.
 * @param[in]  steps     per channel of the operator, as in sqm_unpack_1x1; NULL where all are 1.
 * @param[out] taps      `number` words, each with an int8 of every channel.
 */
typedef void sqm_taps_1x4(const uint8_t *weights, int32_t number, int32_t channels, int32_t channel,
                          const int8_t *steps, uint32_t *taps);

/**
 * One block of channels to the words that a gemm kernel reads (README.md).
 *
 * @param[in]  planes   the block's weights in the kernel's layout.
 * @param[in]  meaning  what a code of 0 means: base_even + 256 * base_odd in both halves, of
 * channels 0 and 1, then of 2 and 3. Not looked at by 2 bits.
 * @param      taps     codes of a channel, a multiple of the kernel's k_multiple.
 * @param[out] words    `taps` words; 2 * taps for eight channels.
 */
typedef void sqm_unpack_block(const uint32_t *planes, const uint32_t *meaning, int32_t taps,
                              uint32_t *words);
typedef sqm_unpack_block sqm_unpack_1x4;
typedef sqm_unpack_block sqm_unpack_1x8;

#endif
