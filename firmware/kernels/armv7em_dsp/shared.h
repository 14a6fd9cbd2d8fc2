/*
 * Nests for cores with DSP instructions that all operators of a width share, where the others are
 * compiled anew for each operator.
 *
 * sqm_<operator>_<weights>__armv7em_dsp takes what sqm_<operator>__armv7em_dsp takes, but its
 * microkernels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_SHARED_H
#define SQM_ARMV7EM_DSP_SHARED_H

#include <stddef.h>
#include <stdint.h>

#include "sqm/compiler.h"
#include "kernels/armv7em_dsp/conv2d.h"
#include "kernels/armv7em_dsp/dense.h"
#include "kernels/armv7em_dsp/meta.h"

#define SQM_SHARED_NEST(operator, wgt, ...)                                                        \
    typedef sqm_##operator##__armv7em_dsp_params sqm_##operator##_##wgt##__armv7em_dsp_params;     \
    SQM_SHARED void sqm_##operator##_##wgt##__armv7em_dsp(                                         \
        const sqm_##operator##__armv7em_dsp_params * p, const int8_t * input,                      \
        const uint32_t * weights, const uint32_t * meaning, const int32_t * table,                 \
        int8_t * scratch, int8_t * output)                                                         \
    {                                                                                              \
        sqm_##operator##__armv7em_dsp(p, __VA_ARGS__, input, weights, meaning, table, scratch,     \
                                      output);                                                     \
    }

SQM_SHARED_NEST(conv2d, w8, sqm_gemm_s8_w8_2x4__armv7em_dsp, NULL)
SQM_SHARED_NEST(conv2d, w6, sqm_gemm_s8_w8_2x4__armv7em_dsp, sqm_unpack_s8_w6_1x4__armv7em_dsp)
SQM_SHARED_NEST(conv2d, w5, sqm_gemm_s8_w8_2x4__armv7em_dsp, sqm_unpack_s8_w5_1x4__armv7em_dsp)
SQM_SHARED_NEST(conv2d, w4, sqm_gemm_s8_w4_2x4__armv7em_dsp, NULL)
SQM_SHARED_NEST(conv2d, w4_unpacked, sqm_gemm_s8_w8_2x4__armv7em_dsp,
                sqm_unpack_s8_w4_1x4__armv7em_dsp)
SQM_SHARED_NEST(conv2d, w3, sqm_gemm_s8_w8_2x4__armv7em_dsp, sqm_unpack_s8_w3_1x4__armv7em_dsp)
SQM_SHARED_NEST(conv2d, w2, sqm_gemm_s8_w2_2x8__armv7em_dsp, sqm_unpack_s8_w2_1x8__armv7em_dsp)

SQM_SHARED_NEST(dense, w8, sqm_gemv_s8_w8_1x4__armv7em_dsp)
SQM_SHARED_NEST(dense, w6, sqm_gemv_s8_w6_1x4__armv7em_dsp)
SQM_SHARED_NEST(dense, w5, sqm_gemv_s8_w5_1x4__armv7em_dsp)
SQM_SHARED_NEST(dense, w4, sqm_gemv_s8_w4_1x4__armv7em_dsp)
SQM_SHARED_NEST(dense, w3, sqm_gemv_s8_w3_1x4__armv7em_dsp)
SQM_SHARED_NEST(dense, w2, sqm_gemv_s8_w2_1x8__armv7em_dsp)

#undef SQM_SHARED_NEST

#endif
