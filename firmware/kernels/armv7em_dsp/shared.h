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

/* Which function makes columns follows from the geometry, so callers say it, and go through the
 * tiles; a tile is what they share. */
#define SQM_SHARED_CONV2D(wgt, gemm, unpack)                                                       \
    typedef sqm_conv2d__armv7em_dsp_params sqm_conv2d_##wgt##__armv7em_dsp_params;                 \
    SQM_SHARED void sqm_conv2d_blocks_##wgt##__armv7em_dsp(                                        \
        const sqm_conv2d__armv7em_dsp_params *p, const uint32_t *weights, const uint32_t *meaning, \
        const int32_t *table, int8_t *scratch, int8_t *output, int32_t count)                      \
    {                                                                                              \
        sqm_conv2d_blocks(p, gemm, unpack, weights, meaning, table, scratch, output, count);       \
    }                                                                                              \
    SQM_INLINE void sqm_conv2d_##wgt##__armv7em_dsp(                                               \
        const sqm_conv2d__armv7em_dsp_params *p, sqm_columns_block *columns_of,                    \
        const int8_t *input, const uint32_t *weights, const uint32_t *meaning,                     \
        const int32_t *table, int8_t *scratch, int8_t *output)                                     \
    {                                                                                              \
        sqm_conv2d_tiles(p, columns_of, sqm_conv2d_blocks_##wgt##__armv7em_dsp, NULL, NULL, input, \
                         weights, meaning, table, scratch, output);                                \
    }

#define SQM_SHARED_DENSE(wgt, gemv)                                                                \
    typedef sqm_dense__armv7em_dsp_params sqm_dense_##wgt##__armv7em_dsp_params;                   \
    SQM_SHARED void sqm_dense_##wgt##__armv7em_dsp(                                                \
        const sqm_dense__armv7em_dsp_params *p, const int8_t *input, const uint32_t *weights,      \
        const uint32_t *meaning, const int32_t *table, int8_t *scratch, int8_t *output)            \
    {                                                                                              \
        sqm_dense__armv7em_dsp(p, gemv, input, weights, meaning, table, scratch, output);          \
    }

SQM_SHARED_CONV2D(w8, sqm_gemm_s8_w8_2x4__armv7em_dsp, NULL)
SQM_SHARED_CONV2D(w6, sqm_gemm_s8_w8_2x4__armv7em_dsp, sqm_unpack_s8_w6_1x4__armv7em_dsp)
SQM_SHARED_CONV2D(w5, sqm_gemm_s8_w8_2x4__armv7em_dsp, sqm_unpack_s8_w5_1x4__armv7em_dsp)
SQM_SHARED_CONV2D(w4, sqm_gemm_s8_w4_2x4__armv7em_dsp, NULL)
SQM_SHARED_CONV2D(w4_unpacked, sqm_gemm_s8_w8_2x4__armv7em_dsp, sqm_unpack_s8_w4_1x4__armv7em_dsp)
SQM_SHARED_CONV2D(w3, sqm_gemm_s8_w8_2x4__armv7em_dsp, sqm_unpack_s8_w3_1x4__armv7em_dsp)
SQM_SHARED_CONV2D(w2, sqm_gemm_s8_w2_2x8__armv7em_dsp, sqm_unpack_s8_w2_1x8__armv7em_dsp)

SQM_SHARED_DENSE(w8, sqm_gemv_s8_w8_1x4__armv7em_dsp)
SQM_SHARED_DENSE(w6, sqm_gemv_s8_w6_1x4__armv7em_dsp)
SQM_SHARED_DENSE(w5, sqm_gemv_s8_w5_1x4__armv7em_dsp)
SQM_SHARED_DENSE(w4, sqm_gemv_s8_w4_1x4__armv7em_dsp)
SQM_SHARED_DENSE(w3, sqm_gemv_s8_w3_1x4__armv7em_dsp)
SQM_SHARED_DENSE(w2, sqm_gemv_s8_w2_1x8__armv7em_dsp)

#undef SQM_SHARED_CONV2D
#undef SQM_SHARED_DENSE

#endif
