/*
 * Depthwise convolutions of any window on cores with DSP instructions, against the definition:
 * every width, along rows and along columns, lines of every length, and in place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "armv7em_dsp/depthwise_constants.h"
#include "kernels/armv7em_dsp/depthwise_strips.h"
#include "naive_nests.h"

#ifndef CASES
#define CASES 60
#endif

/** One axis: a window that fits, pads, and either a stride or a dilation. */
static sqm_strip_axis random_axis(int32_t largest_window, int32_t largest_stride, bool dilated)
{
    sqm_strip_axis axis = {.stride = dilated ? 1 : random_between(1, largest_stride),
                           .dilation = dilated ? random_between(1, 3) : 1};
    do {
        axis.input = random_between(1, 13);
        axis.window = random_between(1, largest_window);
        axis.pad = random_between(0, (axis.window - 1) * axis.dilation + 1);
        axis.output = output_size(axis.input, axis.window, axis.stride, axis.dilation,
                                  axis.pad + random_between(0, axis.window));
    } while (axis.output == 0);
    return axis;
}

/** The params, and what the definition takes; lines are as long as they must be or longer. */
static sqm_depthwise_strips__armv7em_dsp_params random_strips(sqm_conv2d_params *p)
{
    const bool one_row = random_between(0, 2) == 0;
    const bool dilated = random_between(0, 3) == 0;
    const bool along_rows = random_between(0, 1) != 0;
    sqm_depthwise_strips__armv7em_dsp_params s = {
        .across = random_axis(one_row ? 15 : 7, 2, dilated),
        .down = random_axis(one_row ? 1 : 5, 3, dilated),
        .channels = random_between(1, 9),
        .depth_multiplier = random_between(0, 3) == 0 ? random_between(1, 5) : 1,
        .line = 2 * random_between(1, 3) + 1,
    };
    const sqm_strip_axis *const wide = along_rows ? &s.across : &s.down;
    const sqm_strip_axis *const high = along_rows ? &s.down : &s.across;
    const int32_t more = s.across.window - 2;

    if (s.down.window > 1) {
        s.line = s.across.window > s.line ? 7 : s.line;
        s.lines = s.down.window;
    } else {
        s.lines = more < 0 ? 1 : more / (s.line - 1) + 1;
    }
    *p = (sqm_conv2d_params){
        .input_height = high->input,
        .input_width = wide->input,
        .input_channels = s.channels,
        .output_height = high->output,
        .output_width = wide->output,
        .output_channels = s.channels * s.depth_multiplier,
        .window_height = high->window,
        .window_width = wide->window,
        .stride_height = high->stride,
        .stride_width = wide->stride,
        .dilation_height = high->dilation,
        .dilation_width = wide->dilation,
        .pad_top = high->pad,
        .pad_left = wide->pad,
        .input_offset = random_input_offset(),
    };
    s.across.tap_step = along_rows ? 1 : p->window_width;
    s.across.input_pixels = along_rows ? 1 : p->input_width;
    s.across.output_pixels = along_rows ? 1 : p->output_width;
    s.down.tap_step = along_rows ? p->window_width : 1;
    s.down.input_pixels = along_rows ? p->input_width : 1;
    s.down.output_pixels = along_rows ? p->output_width : 1;
    s.zero_point = -p->input_offset;
    return s;
}

static int32_t at_least(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static void check_strips(int32_t width, int32_t requantize)
{
    const int32_t bits = widths[width].bits;
    sqm_conv2d_params p;
    sqm_depthwise_strips__armv7em_dsp_params s = random_strips(&p);
    constants c = random_constants(p.output_channels, bits, random_between(0, 1) != 0 && bits < 8);
    band_constants(requantize, &p, &c);
    s.output_offset = p.output_offset;
    s.output_minimum = c.minimum;
    s.output_maximum = c.maximum;
    s.sums = requantize == SQM_BAND_SUMS;

    const int32_t taps = p.window_height * p.window_width;
    const int32_t inputs = p.input_height * p.input_width * p.input_channels;
    const int32_t outputs = p.output_height * p.output_width * p.output_channels;
    const bool in_place = s.depth_multiplier == 1 && p.input_width == p.output_width &&
                          inputs >= outputs && s.down.pad < s.down.window &&
                          s.across.pad % s.across.dilation == 0 &&
                          s.down.pad % s.down.dilation == 0;
    int8_t *input = activations(inputs);
    int8_t *weights = buffer(taps * p.output_channels);
    const uint8_t *packed = random_weights(taps, p.output_channels, true, bits, c.steps, weights);
    int8_t *expected = buffer(outputs);
    int8_t *got = in_place ? input : buffer(outputs);
    const sqm_strip_sizes sizes = sqm_strip_sizes_of(&s);
    const int32_t rows = s.down.window * sizes.columns_words * (s.depth_multiplier == 1 ? 4 : 1);
    int8_t *scratch = (int8_t *)words(4 * sizes.record_words + rows +
                                      at_least(taps + (taps + 3) / 4, (s.across.output + 3) & ~3));
    const int32_t group = s.depth_multiplier == 1 ? s.channels : s.depth_multiplier;
    const bool at_once = group % 4 == 0 && random_between(0, 3) != 0;
    char what[64];

    naive_conv2d(&p, s.depth_multiplier, input, weights, &c, expected);
    sqm_depthwise_strips__armv7em_dsp(&s, at_once ? NULL : widths[width].pick,
                                      at_once ? widths[width].unpack : NULL, input, packed, c.steps,
                                      band_table(&p, &c, weights, taps, requantize), scratch, got);
    snprintf(what, sizeof what, "strips of %d, stride %d, %d bits, requantize %d", (int)s.line,
             (int)s.across.stride, (int)bits, (int)requantize);
    expect_codes(what, got, expected, outputs);
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    for (int32_t n = 0; n < CASES; ++n) {
        for (int32_t width = 0; width < (int32_t)(sizeof widths / sizeof *widths); ++width) {
            check_strips(width, SQM_BAND_RELU);
            check_strips(width, SQM_BAND_ANY);
            check_strips(width, SQM_BAND_SUMS);
        }
    }
    return report("dsp_strips");
}
