/*
 * conv2d, depthwise_conv2d and dense against loops written from the definition: every weight width,
 * with and without steps, random shapes, strides, dilations and pads (also such that a window lies
 * wholly in the padding).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kernels/operators/conv2d.h"
#include "kernels/operators/dense.h"
#include "kernels/operators/depthwise_conv2d.h"
#include "kernels/portable_c/meta.h"
#include "naive_nests.h"

/** A width and its microkernels. */
typedef struct {
    int32_t bits;
    sqm_dot_1x1 *dot;
    sqm_unpack_1x1 *unpack;
    sqm_pairs_1x4 *pairs;
    sqm_pick_1x1 *pick;
} width;

static const width widths[] = {
    {8, sqm_dot_s8_w8_1x1__c, NULL, NULL, sqm_pick_s8_w8_1x1__c},
    {6, sqm_dot_s8_w6_1x1__c, sqm_unpack_s8_w6_1x1__c, sqm_pairs_s8_w6_1x4__c,
     sqm_pick_s8_w6_1x1__c},
    {5, sqm_dot_s8_w5_1x1__c, sqm_unpack_s8_w5_1x1__c, sqm_pairs_s8_w5_1x4__c,
     sqm_pick_s8_w5_1x1__c},
    {4, sqm_dot_s8_w4_1x1__c, sqm_unpack_s8_w4_1x1__c, sqm_pairs_s8_w4_1x4__c,
     sqm_pick_s8_w4_1x1__c},
    {3, sqm_dot_s8_w3_1x1__c, sqm_unpack_s8_w3_1x1__c, sqm_pairs_s8_w3_1x4__c,
     sqm_pick_s8_w3_1x1__c},
    {2, sqm_dot_s8_w2_1x1__c, sqm_unpack_s8_w2_1x1__c, sqm_pairs_s8_w2_1x4__c,
     sqm_pick_s8_w2_1x1__c},
};

static void check_conv2d(const width *w)
{
    sqm_conv2d_params p = random_geometry(random_between(0, 3) ? 6 : 20);
    const int32_t k = p.window_height * p.window_width * p.input_channels;
    const int32_t outputs = p.output_height * p.output_width * p.output_channels;
    const int32_t tile = p.output_channels < 4 ? p.output_channels : 4;
    const constants c =
        random_constants(p.output_channels, w->bits, random_between(0, 1) != 0 && w->bits < 8);
    const int8_t *input = activations(p.input_height * p.input_width * p.input_channels);
    int8_t *weights = buffer(p.output_channels * k);
    const uint8_t *packed = random_weights(p.output_channels, k, false, w->bits, c.steps, weights);
    const bool pairs = w->bits != 8 && tile == 4 && random_between(0, 3) != 0;
    int8_t *scratch = w->bits == 8 ? NULL
                      : pairs      ? (int8_t *)words((9 * k + 3) / 4)
                                   : buffer(tile * k);
    int8_t *got = buffer(outputs);
    int8_t *expected = buffer(outputs);
    char what[64];

    p.row_bytes = packed_bytes(k, w->bits);
    p.tile_height = random_between(0, 1) ? 1 : random_between(1, p.output_height);
    p.tile_width = p.tile_height == 1 ? random_between(1, p.output_width) : p.output_width;
    p.downwards = random_between(0, 1);
    p.output_minimum = c.minimum;
    p.output_maximum = c.maximum;
    sqm_conv2d(&p, w->unpack, pairs ? w->pairs : NULL, input, packed, c.steps, c.bias, c.multiplier,
               c.shift, scratch, got);
    naive_conv2d(&p, 0, input, weights, &c, expected);
    snprintf(what, sizeof what, "conv2d, %d bits", (int)w->bits);
    expect_codes(what, got, expected, outputs);
}

static void check_depthwise_conv2d(const width *w)
{
    sqm_conv2d_params p = random_geometry(9);
    const int32_t depth_multiplier = random_between(1, 3);
    const int32_t taps = p.window_height * p.window_width;

    p.output_channels = p.input_channels * depth_multiplier;
    const constants c =
        random_constants(p.output_channels, w->bits, random_between(0, 1) != 0 && w->bits < 8);
    const sqm_depthwise_conv2d_params depthwise = {
        p.input_height,  p.input_width,     p.input_channels,  p.output_height,
        p.output_width,  p.output_channels, p.window_height,   p.window_width,
        p.stride_height, p.stride_width,    p.dilation_height, p.dilation_width,
        p.pad_top,       p.pad_left,        p.input_offset,    p.output_offset,
        c.minimum,       c.maximum,         depth_multiplier,  random_between(0, 1)};
    const int32_t seen = sqm_depthwise_conv2d_seen(sqm_depthwise_conv2d_vertical(&depthwise)) *
                         sqm_depthwise_conv2d_seen(sqm_depthwise_conv2d_horizontal(&depthwise));
    const int32_t outputs = p.output_height * p.output_width * p.output_channels;
    const int8_t *input = activations(p.input_height * p.input_width * p.input_channels);
    int8_t *weights = buffer(taps * p.output_channels);
    const uint8_t *packed =
        random_weights(taps, p.output_channels, true, w->bits, c.steps, weights);
    int8_t *got = buffer(outputs);
    int8_t *expected = buffer(outputs);
    char what[64];

    sqm_depthwise_conv2d(&depthwise, w->pick, input, packed, c.steps, c.bias, c.multiplier, c.shift,
                         buffer(taps + seen), got);
    naive_conv2d(&p, depth_multiplier, input, weights, &c, expected);
    snprintf(what, sizeof what, "depthwise_conv2d, %d bits", (int)w->bits);
    expect_codes(what, got, expected, outputs);
}

/* ---- Dense ---- */

static void check_dense(const width *w)
{
    const int32_t inputs = random_between(1, 70);
    const int32_t outputs = random_between(1, 9);
    const constants c = random_constants(outputs, w->bits, random_between(0, 1) != 0);
    const sqm_dense_params p = {inputs,
                                outputs,
                                packed_bytes(inputs, w->bits),
                                random_input_offset(),
                                random_between(-128, 127),
                                c.minimum,
                                c.maximum};
    const int8_t *input = activations(inputs);
    int8_t *weights = buffer(outputs * inputs);
    const uint8_t *packed = random_weights(outputs, inputs, false, w->bits, c.steps, weights);
    int8_t *got = buffer(outputs);
    int8_t *expected = buffer(outputs);
    char what[64];

    for (int32_t j = 0; j < outputs; ++j) {
        int64_t acc = c.bias[j];
        for (int32_t i = 0; i < inputs; ++i) {
            acc += (input[i] + p.input_offset) * weights[j * inputs + i];
        }
        expected[j] = naive_code(acc, c.multiplier[j], c.shift[j], p.output_offset,
                                 p.output_minimum, p.output_maximum);
    }
    sqm_dense(&p, w->dot, input, packed, c.steps, c.bias, c.multiplier, c.shift, got);
    snprintf(what, sizeof what, "dense, %d bits", (int)w->bits);
    expect_codes(what, got, expected, outputs);
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; ++i) {
        for (int32_t n = 0; n < 400; ++n) {
            check_conv2d(&widths[i]);
            check_depthwise_conv2d(&widths[i]);
            check_dense(&widths[i]);
        }
    }
    return report("nests");
}
