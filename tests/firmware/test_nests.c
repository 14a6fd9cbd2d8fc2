/*
 * conv2d, depthwise_conv2d and dense against loops written from the definition: every weight width,
 * with and without steps, random shapes, strides, dilations and pads (also such that a window lies
 * wholly in the padding).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"
#include "kernels/operators/conv2d.h"
#include "kernels/operators/dense.h"
#include "kernels/operators/depthwise_conv2d.h"
#include "kernels/portable_c/meta.h"

/** A width and its microkernels. */
typedef struct {
    int32_t bits;
    sqm_dot_1x1 *dot;
    sqm_unpack_1x1 *unpack;
    sqm_pick_1x1 *pick;
} width;

static const width widths[] = {
    {8, sqm_dot_s8_w8_1x1__c, NULL, sqm_pick_s8_w8_1x1__c},
    {6, sqm_dot_s8_w6_1x1__c, sqm_unpack_s8_w6_1x1__c, sqm_pick_s8_w6_1x1__c},
    {5, sqm_dot_s8_w5_1x1__c, sqm_unpack_s8_w5_1x1__c, sqm_pick_s8_w5_1x1__c},
    {4, sqm_dot_s8_w4_1x1__c, sqm_unpack_s8_w4_1x1__c, sqm_pick_s8_w4_1x1__c},
    {3, sqm_dot_s8_w3_1x1__c, sqm_unpack_s8_w3_1x1__c, sqm_pick_s8_w3_1x1__c},
    {2, sqm_dot_s8_w2_1x1__c, sqm_unpack_s8_w2_1x1__c, sqm_pick_s8_w2_1x1__c},
};

/** Per output channel, and the clamp. */
typedef struct {
    int8_t *steps;
    int32_t *bias;
    int32_t *multiplier;
    int8_t *shift;
    int32_t minimum;
    int32_t maximum;
} constants;

static constants random_constants(int32_t channels, int32_t bits, bool use_steps)
{
    static const int8_t steps[3] = {1, -1, 2};
    constants drawn = {use_steps ? buffer(channels) : NULL,
                       words(channels),
                       words(channels),
                       buffer(channels),
                       random_between(0, 1) ? -128 : random_between(-128, 0),
                       random_between(0, 1) ? 127 : random_between(0, 127)};

    for (int32_t c = 0; c < channels; ++c) {
        if (use_steps) {
            drawn.steps[c] = steps[random_between(0, bits == 2 ? 2 : 1)];
        }
        drawn.bias[c] = random_between(-20000, 20000);
        drawn.multiplier[c] = random_between(1 << 30, INT32_MAX);
        drawn.shift[c] = (int8_t)random_between(-12, 1);
    }
    return drawn;
}

/** Codes packed in `rows` rows, or one; weights[i] receives what code i stands for in its channel.
 */
static uint8_t *random_weights(int32_t rows, int32_t columns, bool channel_is_column, int32_t bits,
                               const int8_t *steps, int8_t *weights)
{
    const int32_t runs = channel_is_column ? 1 : rows;
    const int32_t run = rows * columns / runs;
    const int32_t row_bytes = packed_bytes(run, bits);
    uint8_t *packed = buffer(runs * row_bytes);
    int8_t *codes = buffer(rows * columns);

    draw_codes(codes, rows * columns, bits);
    for (int32_t i = 0; i < rows * columns; ++i) {
        const int32_t channel = channel_is_column ? i % columns : i / columns;
        weights[i] = weight_of(codes[i], steps == NULL ? 1 : steps[channel]);
    }
    for (int32_t j = 0; j < runs; ++j) {
        pack_linear(codes + j * run, run, bits, packed + j * row_bytes);
    }
    return packed;
}

/* ---- Convolutions ---- */

/** x at a pixel minus its zero point; 0 outside the image. */
static int32_t input_at(const sqm_conv2d_params *p, const int8_t *input, int32_t y, int32_t x,
                        int32_t channel)
{
    if (y < 0 || y >= p->input_height || x < 0 || x >= p->input_width) {
        return 0;
    }
    return input[(y * p->input_width + x) * p->input_channels + channel] + p->input_offset;
}

/** Depthwise where depth_multiplier > 0: weights (taps, channels); else (channels, taps, input
 * channels). */
static void naive_conv2d(const sqm_conv2d_params *p, int32_t depth_multiplier, const int8_t *input,
                         const int8_t *weights, const constants *c, int8_t *output)
{
    const int32_t taps = p->window_height * p->window_width;

    for (int32_t i = 0; i < p->output_height * p->output_width * p->output_channels; ++i) {
        const int32_t channel = i % p->output_channels;
        const int32_t ox = i / p->output_channels % p->output_width;
        const int32_t oy = i / p->output_channels / p->output_width;
        int64_t acc = c->bias[channel];

        for (int32_t tap = 0; tap < taps; ++tap) {
            const int32_t y =
                oy * p->stride_height - p->pad_top + tap / p->window_width * p->dilation_height;
            const int32_t x =
                ox * p->stride_width - p->pad_left + tap % p->window_width * p->dilation_width;
            if (depth_multiplier > 0) {
                acc += input_at(p, input, y, x, channel / depth_multiplier) *
                       weights[tap * p->output_channels + channel];
                continue;
            }
            for (int32_t k = 0; k < p->input_channels; ++k) {
                acc += input_at(p, input, y, x, k) *
                       weights[(channel * taps + tap) * p->input_channels + k];
            }
        }
        output[i] = naive_code(acc, c->multiplier[channel], c->shift[channel], p->output_offset,
                               c->minimum, c->maximum);
    }
}

static int32_t output_size(int32_t input, int32_t window, int32_t stride, int32_t dilation,
                           int32_t pads)
{
    const int32_t room = input + pads - (window - 1) * dilation - 1;
    return room < 0 ? 0 : room / stride + 1;
}

static sqm_conv2d_params random_geometry(int32_t largest_channels)
{
    const bool padded = random_between(0, 3) != 0;
    sqm_conv2d_params p;

    do {
        p = (sqm_conv2d_params){
            .input_height = random_between(1, 8),
            .input_width = random_between(1, 8),
            .input_channels = random_between(1, largest_channels),
            .output_channels = random_between(1, 11),
            .window_height = random_between(1, 4),
            .window_width = random_between(1, 5),
            .stride_height = random_between(1, 3),
            .stride_width = random_between(1, 3),
            .dilation_height = random_between(0, 2) ? 1 : random_between(1, 3),
            .dilation_width = random_between(0, 2) ? 1 : random_between(1, 3),
            .pad_top = padded ? random_between(0, 5) : 0,
            .pad_left = padded ? random_between(0, 5) : 0,
            .input_offset = random_input_offset(),
            .output_offset = random_between(-128, 127),
        };
        p.output_height =
            output_size(p.input_height, p.window_height, p.stride_height, p.dilation_height,
                        padded ? p.pad_top + random_between(0, 5) : 0);
        p.output_width =
            output_size(p.input_width, p.window_width, p.stride_width, p.dilation_width,
                        padded ? p.pad_left + random_between(0, 5) : 0);
    } while (p.output_height == 0 || p.output_width == 0);
    return p;
}

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
    int8_t *scratch = w->bits == 8 ? NULL : buffer(tile * k);
    int8_t *got = buffer(outputs);
    int8_t *expected = buffer(outputs);
    char what[64];

    p.row_bytes = packed_bytes(k, w->bits);
    p.output_minimum = c.minimum;
    p.output_maximum = c.maximum;
    sqm_conv2d(&p, w->unpack, input, packed, c.steps, c.bias, c.multiplier, c.shift, scratch, got);
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
        p.input_height,    p.input_width,    p.input_channels, p.output_height, p.output_width,
        p.output_channels, p.window_height,  p.window_width,   p.stride_height, p.stride_width,
        p.dilation_height, p.dilation_width, p.pad_top,        p.pad_left,      p.input_offset,
        p.output_offset,   c.minimum,        c.maximum,        depth_multiplier};
    const int32_t outputs = p.output_height * p.output_width * p.output_channels;
    const int8_t *input = activations(p.input_height * p.input_width * p.input_channels);
    int8_t *weights = buffer(taps * p.output_channels);
    const uint8_t *packed =
        random_weights(taps, p.output_channels, true, w->bits, c.steps, weights);
    int8_t *got = buffer(outputs);
    int8_t *expected = buffer(outputs);
    char what[64];

    sqm_depthwise_conv2d(&depthwise, w->pick, input, packed, c.steps, c.bias, c.multiplier, c.shift,
                         buffer(taps), got);
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
