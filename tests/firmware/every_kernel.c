/*
 * Each microkernel and each nest as a function of its own, its parameters unknown, for cores that
 * the tests only compile for. What this file calls besides itself is what the kernels need of a
 * library: tests/unit/kernels/test_c_kernels.py expects nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "kernels/kernel_api.h"
#include "kernels/operators/add.h"
#include "kernels/operators/concatenate.h"
#include "kernels/operators/conv2d.h"
#include "kernels/operators/dense.h"
#include "kernels/operators/depthwise_conv2d.h"
#include "kernels/operators/mean.h"
#include "kernels/operators/pad2d.h"
#include "kernels/operators/pool2d.h"
#include "kernels/operators/rescale.h"
#include "kernels/operators/sigmoid.h"
#include "kernels/operators/softmax.h"
#include "kernels/portable_c/meta.h"

/* ---- Microkernels ---- */

#define SQM_KERNEL(microkernel, act, wgt, tile, isa, k_multiple, layout)                           \
    sqm_##microkernel##_##tile every_##microkernel##_##act##_##wgt##_##tile##__##isa;
#include "kernels/kernels.def"

#define DEFINE_dot_1x1(name)                                                                       \
    int32_t every_##name(const int8_t *x, int32_t input_offset, const uint8_t *row, int32_t k)     \
    {                                                                                              \
        return sqm_##name(x, input_offset, row, k);                                                \
    }
#define DEFINE_dot_1x4(name)                                                                       \
    void every_##name(const int8_t *x, int32_t input_offset, const int8_t *w, int32_t row_stride,  \
                      int32_t k, int32_t acc[4])                                                   \
    {                                                                                              \
        sqm_##name(x, input_offset, w, row_stride, k, acc);                                        \
    }
#define DEFINE_pairs_1x4(name)                                                                     \
    void every_##name(const int8_t *x, int32_t input_offset, const uint32_t *words, int32_t k,     \
                      int32_t multiple, int32_t acc[4])                                            \
    {                                                                                              \
        sqm_##name(x, input_offset, words, k, multiple, acc);                                      \
    }
#define DEFINE_unpack_1x1(name)                                                                    \
    void every_##name(const uint8_t *row, int32_t k, int32_t step, int8_t *out)                    \
    {                                                                                              \
        sqm_##name(row, k, step, out);                                                             \
    }
#define DEFINE_pick_1x1(name)                                                                      \
    void every_##name(const uint8_t *plane, int32_t elements, int32_t first, int32_t stride,       \
                      int32_t count, int32_t step, int8_t *out)                                    \
    {                                                                                              \
        sqm_##name(plane, elements, first, stride, count, step, out);                              \
    }
#define SQM_KERNEL(microkernel, act, wgt, tile, isa, k_multiple, layout)                           \
    DEFINE_##microkernel##_##tile(microkernel##_##act##_##wgt##_##tile##__##isa)
#include "kernels/kernels.def"

/* ---- Nests ---- */

/** What the operators with weights take besides their params. */
typedef struct {
    const int8_t *input;
    const uint8_t *weights;
    const int8_t *steps;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int8_t *scratch;
    int8_t *output;
} arguments;

#define DECLARE_WEIGHTED(bits)                                                                     \
    void every_conv2d_w##bits(const sqm_conv2d_params *p, const arguments *a);                     \
    void every_depthwise_conv2d_w##bits(const sqm_depthwise_conv2d_params *p, const arguments *a); \
    void every_dense_w##bits(const sqm_dense_params *p, const arguments *a);

#define DEFINE_WEIGHTED(bits, unpack, pairs)                                                       \
    DECLARE_WEIGHTED(bits)                                                                         \
    void every_conv2d_w##bits(const sqm_conv2d_params *p, const arguments *a)                      \
    {                                                                                              \
        sqm_conv2d(p, unpack, pairs, a->input, a->weights, a->steps, a->bias, a->multiplier,       \
                   a->shift, a->scratch, a->output);                                               \
    }                                                                                              \
    void every_depthwise_conv2d_w##bits(const sqm_depthwise_conv2d_params *p, const arguments *a)  \
    {                                                                                              \
        sqm_depthwise_conv2d(p, sqm_pick_s8_w##bits##_1x1__c, a->input, a->weights, a->steps,      \
                             a->bias, a->multiplier, a->shift, a->scratch, a->output);             \
    }                                                                                              \
    void every_dense_w##bits(const sqm_dense_params *p, const arguments *a)                        \
    {                                                                                              \
        sqm_dense(p, sqm_dot_s8_w##bits##_1x1__c, a->input, a->weights, a->steps, a->bias,         \
                  a->multiplier, a->shift, a->output);                                             \
    }

DEFINE_WEIGHTED(8, NULL, NULL)
DEFINE_WEIGHTED(6, sqm_unpack_s8_w6_1x1__c, sqm_pairs_s8_w6_1x4__c)
DEFINE_WEIGHTED(5, sqm_unpack_s8_w5_1x1__c, sqm_pairs_s8_w5_1x4__c)
DEFINE_WEIGHTED(4, sqm_unpack_s8_w4_1x1__c, sqm_pairs_s8_w4_1x4__c)
DEFINE_WEIGHTED(3, sqm_unpack_s8_w3_1x1__c, sqm_pairs_s8_w3_1x4__c)
DEFINE_WEIGHTED(2, sqm_unpack_s8_w2_1x1__c, sqm_pairs_s8_w2_1x4__c)

#define DEFINE_UNARY(name)                                                                         \
    void every_##name(const sqm_##name##_params *p, const int8_t *input, int8_t *output);          \
    void every_##name(const sqm_##name##_params *p, const int8_t *input, int8_t *output)           \
    {                                                                                              \
        sqm_##name(p, input, output);                                                              \
    }

DEFINE_UNARY(average_pool2d)
DEFINE_UNARY(max_pool2d)
DEFINE_UNARY(mean)
DEFINE_UNARY(pad2d)
DEFINE_UNARY(rescale)
DEFINE_UNARY(sigmoid)
DEFINE_UNARY(softmax)

void every_add(const sqm_add_params *p, const int8_t *left, const int8_t *right, int8_t *output);
void every_add(const sqm_add_params *p, const int8_t *left, const int8_t *right, int8_t *output)
{
    sqm_add(p, left, right, output);
}

void every_concatenate(int32_t outer, int32_t inner, int32_t whole, const int8_t *part,
                       int8_t *output);
void every_concatenate(int32_t outer, int32_t inner, int32_t whole, const int8_t *part,
                       int8_t *output)
{
    sqm_concatenate_part(outer, inner, whole, 0, part, output);
}
