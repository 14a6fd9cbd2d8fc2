/*
 * The nests of cores with DSP instructions that need no layout of their own: depthwise 3x3 against
 * the definition, for every weight width and also in place; the others against portable C.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kernels/armv7em_dsp/add.h"
#include "kernels/armv7em_dsp/depthwise_conv2d.h"
#include "kernels/armv7em_dsp/pool2d.h"
#include "kernels/armv7em_dsp/rescale.h"
#include "armv7em_dsp/depthwise_constants.h"
#include "kernels/portable_c/meta.h"
#include "naive_nests.h"

#ifndef CASES
#define CASES 60
#endif

/* ---- Depthwise ---- */

/** Geometries that the nest is for; every other one leaves the image's shape as it is. */
static sqm_conv2d_params band_geometry(void)
{
    const bool same = random_between(0, 1) != 0;
    sqm_conv2d_params p = {
        .input_height = random_between(1, 9),
        .input_width = random_between(1, 9),
        .input_channels = random_between(1, 11),
        .window_height = 3,
        .window_width = 3,
        .stride_height = same ? 1 : random_between(1, 2),
        .dilation_height = 1,
        .dilation_width = 1,
        .input_offset = random_input_offset(),
    };
    do {
        p.pad_top = random_between(0, 2);
        p.pad_left = random_between(0, 2);
        p.output_height = output_size(p.input_height, 3, p.stride_height, 1,
                                      p.pad_top + (same ? 2 - p.pad_top : random_between(0, 2)));
        p.output_width = output_size(p.input_width, 3, p.stride_height, 1,
                                     p.pad_left + (same ? 2 - p.pad_left : random_between(0, 2)));
    } while (p.output_height == 0 || p.output_width == 0);
    p.stride_width = p.stride_height;
    p.output_channels = p.input_channels;
    return p;
}

static void check_depthwise3x3(int32_t width, int32_t requantize)
{
    const int32_t bits = widths[width].bits;
    sqm_conv2d_params p = band_geometry();
    constants c = random_constants(p.output_channels, bits, random_between(0, 1) != 0 && bits < 8);
    band_constants(requantize, &p, &c);

    const int32_t inputs = p.input_height * p.input_width * p.input_channels;
    const int32_t outputs = p.output_height * p.output_width * p.output_channels;
    const bool in_place = inputs == outputs && p.stride_height == 1 &&
                          p.input_height == p.output_height && random_between(0, 1) != 0;
    int8_t *input = activations(inputs);
    int8_t *weights = buffer(9 * p.output_channels);
    const uint8_t *packed = random_weights(9, p.output_channels, true, bits, c.steps, weights);
    int8_t *expected = buffer(outputs);
    int8_t *got = in_place ? input : buffer(outputs);
    const int32_t columns = (p.output_width - 1) * p.stride_width + 3;
    int8_t *scratch = (int8_t *)words(
        (columns * 32 + 144 + (requantize == SQM_BAND_SUMS ? 8 * p.output_width : 0)) / 4);
    const sqm_depthwise3x3__armv7em_dsp_params band = {
        p.input_height, p.input_width, p.input_channels, p.output_height, p.output_width,
        p.stride_width, p.pad_top,     p.pad_left,       -p.input_offset, p.output_offset,
        c.minimum,      c.maximum,     requantize};
    char what[64];

    naive_conv2d(&p, 1, input, weights, &c, expected);
    const bool at_once = p.output_channels % 4 == 0 && random_between(0, 3) != 0;
    sqm_depthwise3x3__armv7em_dsp(&band, at_once ? NULL : widths[width].pick,
                                  at_once ? widths[width].unpack : NULL, input, packed, c.steps,
                                  band_table(&p, &c, weights, 9, requantize), scratch, got);
    snprintf(what, sizeof what, "depthwise3x3, %d bits, requantize %d", (int)bits, (int)requantize);
    expect_codes(what, got, expected, outputs);
}

/* ---- Without weights ---- */

static int32_t random_multiplier(void)
{
    return random_between(1 << 30, INT32_MAX);
}

/** Both ends of a clamp, or int8's. */
static void random_clamp(int32_t *minimum, int32_t *maximum)
{
    *minimum = random_between(0, 1) ? INT8_MIN : random_between(-128, 0);
    *maximum = random_between(0, 1) ? INT8_MAX : random_between(0, 127);
}

static void check_add(void)
{
    const int32_t elements = random_between(1, 70);
    const bool left_half = random_between(0, 3) != 0;
    const bool right_half = !left_half || random_between(0, 3) == 0;
    sqm_add_params p = {
        .elements = elements,
        .left_offset = random_input_offset(),
        .right_offset = random_input_offset(),
        .output_offset = random_between(-128, 127),
        .left_multiplier = left_half ? 1 << 30 : random_multiplier(),
        .left_shift = left_half ? 0 : random_between(-8, -1),
        .right_multiplier = right_half ? 1 << 30 : random_multiplier(),
        .right_shift = right_half ? 0 : random_between(-31, -1),
        .output_multiplier = random_multiplier(),
        .output_shift = random_between(-22, -16),
    };
    int8_t *left = activations(elements);
    int8_t *right = activations(elements);
    int8_t *expected = buffer(elements);
    int8_t *got[] = {buffer(elements), left, right};
    int8_t *output = got[random_between(0, 2)];

    random_clamp(&p.output_minimum, &p.output_maximum);
    sqm_add(&p, left, right, expected);
    sqm_add__armv7em_dsp(&p, left, right, output);
    expect_codes("add", output, expected, elements);
}

static void check_rescale(void)
{
    const int32_t elements = random_between(1, 70);
    sqm_rescale_params p = {.elements = elements,
                            .input_offset = random_input_offset(),
                            .output_offset = random_between(-128, 127),
                            .multiplier = random_multiplier(),
                            .shift = random_between(0, 3) ? random_between(-4, -1) : -31};
    int8_t *input = activations(elements);
    int8_t *expected = buffer(elements);
    int8_t *output = random_between(0, 1) ? buffer(elements) : input;

    random_clamp(&p.output_minimum, &p.output_maximum);
    sqm_rescale(&p, input, expected);
    sqm_rescale__armv7em_dsp(&p, input, output);
    expect_codes("rescale", output, expected, elements);
}

static void check_pools(void)
{
    sqm_pool2d_params p = {
        .input_height = random_between(1, 18),
        .input_width = random_between(1, 18),
        .channels = random_between(1, 13),
        .stride_height = random_between(1, 3),
        .stride_width = random_between(1, 3),
    };
    p.window_height = random_between(1, p.input_height < 16 ? p.input_height : 16);
    p.window_width = random_between(1, p.input_width < 16 ? p.input_width : 16);
    p.pad_top = random_between(0, p.window_height - 1);
    p.pad_left = random_between(0, p.window_width - 1);
    p.output_height = output_size(p.input_height, p.window_height, p.stride_height, 1, p.pad_top);
    p.output_width = output_size(p.input_width, p.window_width, p.stride_width, 1, p.pad_left);

    const int32_t outputs = p.output_height * p.output_width * p.channels;
    const int8_t *input = activations(p.input_height * p.input_width * p.channels);
    int8_t *expected = buffer(outputs);
    int8_t *got = buffer(outputs);

    sqm_max_pool2d(&p, input, expected);
    sqm_max_pool2d__armv7em_dsp(&p, input, got);
    expect_codes("max_pool2d", got, expected, outputs);
    sqm_average_pool2d(&p, input, expected);
    sqm_average_pool2d__armv7em_dsp(&p, input, got);
    expect_codes("average_pool2d", got, expected, outputs);
}

static void check_mean(void)
{
    const sqm_mean_params p = {.pixels = random_between(1, random_between(0, 3) ? 30 : 900),
                               .channels = random_between(1, 9),
                               .input_offset = random_input_offset(),
                               .output_offset = random_between(-128, 127),
                               .multiplier = random_multiplier(),
                               .shift = random_between(-12, 0)};
    const int8_t *input = activations(p.pixels * p.channels);
    int8_t *expected = buffer(p.channels);
    int8_t *got = buffer(p.channels);

    sqm_mean(&p, input, expected);
    sqm_mean__armv7em_dsp(&p, input, got);
    expect_codes("mean", got, expected, p.channels);
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    for (int32_t n = 0; n < CASES; ++n) {
        for (int32_t width = 0; width < (int32_t)(sizeof widths / sizeof *widths); ++width) {
            check_depthwise3x3(width, SQM_BAND_RELU);
            check_depthwise3x3(width, SQM_BAND_ANY);
            check_depthwise3x3(width, SQM_BAND_SUMS);
        }
        check_add();
        check_rescale();
        check_pools();
        check_mean();
    }
    return report("dsp_nests");
}
