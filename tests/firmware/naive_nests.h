/*
 * What the tests of nests share: random constants, packed weights and geometries, and a convolution
 * written from the definition.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_TESTS_NAIVE_NESTS_H
#define SQM_TESTS_NAIVE_NESTS_H

#include <stdbool.h>

#include "check.h"
#include "kernels/operators/conv2d.h"

/** Per output channel, and the clamp. */
typedef struct {
    int8_t *steps;
    int32_t *bias;
    int32_t *multiplier;
    int8_t *shift;
    int32_t minimum;
    int32_t maximum;
} constants;

static inline constants random_constants(int32_t channels, int32_t bits, bool use_steps)
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
static inline uint8_t *random_weights(int32_t rows, int32_t columns, bool channel_is_column,
                                      int32_t bits, const int8_t *steps, int8_t *weights)
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
static inline int32_t input_at(const sqm_conv2d_params *p, const int8_t *input, int32_t y,
                               int32_t x, int32_t channel)
{
    if (y < 0 || y >= p->input_height || x < 0 || x >= p->input_width) {
        return 0;
    }
    return input[(y * p->input_width + x) * p->input_channels + channel] + p->input_offset;
}

/** Depthwise where depth_multiplier > 0: weights (taps, channels); else (channels, taps, input
 * channels). */
static inline void naive_conv2d(const sqm_conv2d_params *p, int32_t depth_multiplier,
                                const int8_t *input, const int8_t *weights, const constants *c,
                                int8_t *output)
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

static inline int32_t output_size(int32_t input, int32_t window, int32_t stride, int32_t dilation,
                                  int32_t pads)
{
    const int32_t room = input + pads - (window - 1) * dilation - 1;
    return room < 0 ? 0 : room / stride + 1;
}

static inline sqm_conv2d_params random_geometry(int32_t largest_channels)
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

#endif
