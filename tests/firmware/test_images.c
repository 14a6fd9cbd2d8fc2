/*
 * Operators that pool, pad and join images against loops written from the definition: windows that
 * reach over the border on every side, halves of both signs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"
#include "kernels/operators/concatenate.h"
#include "kernels/operators/mean.h"
#include "kernels/operators/pad2d.h"
#include "kernels/operators/pool2d.h"

#define TRIALS 400

/** Whole-image loops, `inside` deciding what counts. */
static void check_pool2d(void)
{
    sqm_pool2d_params p = {.input_height = random_between(1, 9),
                           .input_width = random_between(1, 9),
                           .channels = random_between(1, 9),
                           .window_height = random_between(1, 4),
                           .window_width = random_between(1, 4),
                           .stride_height = random_between(1, 3),
                           .stride_width = random_between(1, 3)};
    p.pad_top = random_between(0, p.window_height - 1);
    p.pad_left = random_between(0, p.window_width - 1);
    /* Windows begin inside the image, or before it by less than their size. */
    p.output_height = (p.input_height - 1 + p.pad_top) / p.stride_height + 1;
    p.output_width = (p.input_width - 1 + p.pad_left) / p.stride_width + 1;
    const int32_t outputs = p.output_height * p.output_width * p.channels;
    const int8_t *input = activations(p.input_height * p.input_width * p.channels);
    int8_t *largest = buffer(outputs);
    int8_t *average = buffer(outputs);
    int8_t *got = buffer(outputs);

    for (int32_t i = 0; i < outputs; ++i) {
        const int32_t top = i / p.channels / p.output_width * p.stride_height - p.pad_top;
        const int32_t left = i / p.channels % p.output_width * p.stride_width - p.pad_left;
        int32_t sum = 0;
        int32_t count = 0;
        largest[i] = INT8_MIN;
        for (int32_t y = top; y < top + p.window_height; ++y) {
            for (int32_t x = left; x < left + p.window_width; ++x) {
                if (y >= 0 && y < p.input_height && x >= 0 && x < p.input_width) {
                    const int8_t code =
                        input[(y * p.input_width + x) * p.channels + i % p.channels];
                    largest[i] = code > largest[i] ? code : largest[i];
                    sum += code;
                    ++count;
                }
            }
        }
        const int32_t magnitude = (2 * abs(sum) + count) / (2 * count);
        average[i] = (int8_t)(sum < 0 ? -magnitude : magnitude);
    }
    sqm_max_pool2d(&p, input, got);
    expect_codes("max_pool2d", got, largest, outputs);
    sqm_average_pool2d(&p, input, got);
    expect_codes("average_pool2d", got, average, outputs);
}

static void check_mean(void)
{
    const int32_t pixels = random_between(1, 60);
    const int32_t channels = random_between(1, 9);
    const sqm_mean_params p = {pixels,
                               channels,
                               random_input_offset(),
                               random_between(-128, 127),
                               random_between(1 << 29, INT32_MAX), /* truncated by 1 / pixels */
                               random_between(-9, 1)};
    const int8_t *input = activations(pixels * channels);
    int8_t *expected = buffer(channels);
    int8_t *got = buffer(channels);

    for (int32_t channel = 0; channel < channels; ++channel) {
        int64_t sum = 0;
        for (int32_t pixel = 0; pixel < pixels; ++pixel) {
            sum += input[pixel * channels + channel] + p.input_offset;
        }
        expected[channel] = naive_code(sum, p.multiplier, p.shift, p.output_offset, -128, 127);
    }
    sqm_mean(&p, input, got);
    expect_codes("mean", got, expected, channels);
}

static void check_pad2d(void)
{
    const sqm_pad2d_params p = {random_between(1, 5), random_between(1, 5),
                                random_between(1, 5), random_between(0, 3),
                                random_between(0, 3), random_between(0, 3),
                                random_between(0, 3), random_between(-128, 127)};
    const int32_t width = p.left + p.input_width + p.right;
    const int32_t outputs = (p.top + p.input_height + p.bottom) * width * p.channels;
    const int8_t *input = activations(p.input_height * p.input_width * p.channels);
    int8_t *expected = buffer(outputs);
    int8_t *got = buffer(outputs);

    memset(expected, p.value, (size_t)outputs);
    for (int32_t i = 0; i < p.input_height * p.input_width * p.channels; ++i) {
        const int32_t y = i / p.channels / p.input_width + p.top;
        const int32_t x = i / p.channels % p.input_width + p.left;
        expected[(y * width + x) * p.channels + i % p.channels] = input[i];
    }
    sqm_pad2d(&p, input, got);
    expect_codes("pad2d", got, expected, outputs);
}

static void check_concatenate(void)
{
    const int32_t outer = random_between(1, 6);
    const int32_t inner[2] = {random_between(1, 9), random_between(1, 9)};
    const int32_t whole = inner[0] + inner[1];
    const int8_t *parts[2] = {activations(outer * inner[0]), activations(outer * inner[1])};
    int8_t *expected = buffer(outer * whole);
    int8_t *got = buffer(outer * whole);

    for (int32_t i = 0; i < outer * whole; ++i) {
        const int32_t at = i % whole;
        const int32_t second = at >= inner[0];
        expected[i] = parts[second][i / whole * inner[second] + at - second * inner[0]];
    }
    sqm_concatenate_part(outer, inner[0], whole, 0, parts[0], got);
    sqm_concatenate_part(outer, inner[1], whole, inner[0], parts[1], got);
    expect_codes("concatenate", got, expected, outer * whole);
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    for (int32_t n = 0; n < TRIALS; ++n) {
        check_pool2d();
        check_mean();
        check_pad2d();
        check_concatenate();
    }
    return report("images");
}
