/*
 * Depthwise 2D convolution with any window on cores with DSP instructions: up to four output
 * channels at a time, from the first row of outputs to the last, with the rows that a window sees
 * in scratch (strips.h).
 *
 * Rows go *across* the window's longer side, and follow each other *down* the other one; across may
 * be the image's columns as well as its rows. A dilated convolution is some that are not dilated,
 * on every dilation-th row and column: its *phases*.
 *
 * A row of outputs is written when its window has been read, and read are only channels that are
 * written then or later: sq_micro/kernels/strips.py says where output may begin where the input
 * does. In any other case they must not overlap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_DEPTHWISE_STRIPS_H
#define SQM_ARMV7EM_DSP_DEPTHWISE_STRIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/arithmetic.h"
#include "kernels/armv7em_dsp/registers.h"
#include "kernels/armv7em_dsp/strip_rows.h"
#include "kernels/armv7em_dsp/strips.h"
#include "kernels/armv7em_dsp/taps.h"
#include "kernels/kernel_api.h"
#include "kernels/requantize.h"
#include "sqm/compiler.h"

/**
 * line              taps of a line: 3, 5 or 7.
 * lines             down.window, or where that is 1 as many as the taps across take.
 * zero_point        of the input.
 * sums              1 iff C requantizes: any shifts and any clamp.
 */
typedef struct {
    sqm_strip_axis across;
    sqm_strip_axis down;
    int32_t channels;
    int32_t depth_multiplier;
    int32_t line;
    int32_t lines;
    int32_t zero_point;
    int32_t output_offset;
    int32_t output_minimum;
    int32_t output_maximum;
    int32_t sums;
} sqm_depthwise_strips__armv7em_dsp_params;

SQM_INLINE sqm_strip_sizes sqm_strip_sizes_of(const sqm_depthwise_strips__armv7em_dsp_params *p)
{
    const int32_t outputs = (p->across.output + SQM_STRIP_OUTPUTS - 1) & ~(SQM_STRIP_OUTPUTS - 1);
    const int32_t more_lines = p->down.window == 1 ? p->lines - 1 : 0;
    sqm_strip_sizes sizes;

    /* The words that the last four outputs see, and those before. */
    sizes.columns_words = (p->line + 1) / 2 + more_lines * (p->line - 1) / 2 +
                          (p->across.stride == 1 ? outputs / 2 - 1 : outputs - 1);
    sizes.line_words = p->across.stride == 1 ? p->line - 1 : (p->line + 1) / 2;
    sizes.channel_bytes = p->depth_multiplier == 1 ? p->down.window * sizes.columns_words * 4 : 0;
    /* Weights of several rows stand there twice, so that any row may be the first. */
    sizes.record_words =
        SQM_STRIP_HEAD_WORDS + p->lines * sizes.line_words * (p->down.window > 1 ? 2 : 1);
    return sizes;
}

/** All taps of `count` channels, four bytes each. `pick` is NULL where they have 8 bits. */
SQM_INLINE void sqm_strip_taps(const sqm_depthwise_strips__armv7em_dsp_params *p,
                               sqm_pick_1x1 *pick, sqm_taps_1x4 *unpack, const uint8_t *weights,
                               const int8_t *steps, int32_t channel, int32_t count, uint32_t *taps)
{
    const int32_t channels = p->channels * p->depth_multiplier;
    const int32_t number = p->across.window * p->down.window;
    int8_t *const picked = (int8_t *)(taps + number);

    if (unpack != NULL) {
        unpack(weights, number, channels, channel, steps, taps);
        return;
    }
    if (pick == NULL) {
        for (int32_t tap = 0; tap < number; ++tap) {
            taps[tap] = sqm_strip_codes((const int8_t *)weights + tap * channels + channel, count);
        }
        return;
    }
    for (int32_t i = 0; i < count; ++i) {
        pick(weights, number * channels, channel + i, channels, number,
             steps == NULL ? 1 : steps[channel + i], picked);
        for (int32_t tap = 0; tap < number; ++tap) {
            ((int8_t *)taps)[tap * SQM_STRIP_CHANNELS + i] = picked[tap];
        }
    }
}

/** Heads of `count` records, doubled weights of those that are scaled up, and the second lines. */
SQM_BESIDE_ASM void sqm_strip_finish_records(const int32_t *table, int32_t count, int32_t words,
                                             bool twice, uint32_t *record)
{
    for (; count > 0; --count) {
        uint32_t *const weights = record + SQM_STRIP_HEAD_WORDS;
        const int32_t up = table[2];

        record[0] = (uint32_t)table[0];
        record[1] = (uint32_t)table[1];
        record[2] = up > 0 ? 0 : (uint32_t)up;
        for (int32_t i = 0; i < words && up > 0; ++i) {
            weights[i] = (weights[i] & 0xFFFF0000u) << up | (weights[i] << up & 0xFFFFu);
        }
        for (int32_t i = 0; i < words && twice; ++i) {
            weights[words + i] = weights[i];
        }
        record = weights + (twice ? 2 * words : words);
        table += SQM_STRIP_HEAD_WORDS;
    }
}

/** Records of `count` channels from their taps. */
SQM_INLINE void sqm_strip_records(const sqm_depthwise_strips__armv7em_dsp_params *p,
                                  const sqm_strip_sizes *sizes, const uint32_t *taps,
                                  const int32_t *table, int32_t count, uint32_t *records)
{
    const int32_t step = (int32_t)sizeof(uint32_t) * p->across.stride;
    uint32_t *to = records + SQM_STRIP_HEAD_WORDS;

    for (int32_t line = 0; line < p->lines; ++line) {
        uint32_t of_line[8];
        const int32_t first = p->down.window == 1 ? line * (p->line - 1) : 0;
        const uint32_t *const row = taps + (p->down.window == 1 ? 0 : line * p->down.tap_step);
        /* The last tap of a line is the first of the next one, which has it if there is one. */
        const int32_t shared = p->down.window == 1 && line + 1 < p->lines ? 1 : 0;
        for (int32_t i = 0; i < 8; ++i) {
            const bool there = i < p->line - shared && first + i < p->across.window;
            of_line[i] = there ? row[(first + i) * p->across.tap_step] : 0;
        }
        sqm_strip_words((const int8_t *)of_line, (const int8_t *)(of_line + 1), to,
                        sizes->line_words, step, step,
                        sizes->record_words * (int32_t)sizeof(uint32_t));
        to += sizes->line_words;
    }
    sqm_strip_finish_records(table, count, p->lines * sizes->line_words, p->down.window > 1,
                             records);
}

/** One row of outputs to codes. */
SQM_INLINE void sqm_strip_run(const sqm_depthwise_strips__armv7em_dsp_params *p,
                              const sqm_strip_row *row)
{
    if (p->across.stride == 1) {
        p->line == 3   ? sqm_strip_1_3_codes(row)
        : p->line == 5 ? sqm_strip_1_5_codes(row)
                       : sqm_strip_1_7_codes(row);
    } else {
        p->line == 3   ? sqm_strip_2_3_codes(row)
        : p->line == 5 ? sqm_strip_2_5_codes(row)
                       : sqm_strip_2_7_codes(row);
    }
}

/** The same, by way of sums, channel by channel. */
SQM_INLINE void sqm_strip_run_sums(const sqm_depthwise_strips__armv7em_dsp_params *p,
                                   const sqm_strip_row *rows)
{
    for (int32_t channel = 0; channel < rows->channels; ++channel) {
        sqm_strip_row row = *rows;
        int8_t *out = rows->output + channel;
        row.records += channel * rows->record_bytes / (int32_t)sizeof(uint32_t);
        row.band += channel * rows->channel_bytes / (int32_t)sizeof(uint32_t);
        row.channels = 1;
        if (p->across.stride == 1) {
            p->line == 3   ? sqm_strip_1_3_sums(&row)
            : p->line == 5 ? sqm_strip_1_5_sums(&row)
                           : sqm_strip_1_7_sums(&row);
        } else {
            p->line == 3   ? sqm_strip_2_3_sums(&row)
            : p->line == 5 ? sqm_strip_2_5_sums(&row)
                           : sqm_strip_2_7_sums(&row);
        }
        for (int32_t i = 0; i < row.outputs; ++i) {
            *out = sqm_requantize_code(row.sums[i], (int32_t)row.records[1],
                                       (int32_t)row.records[2] + SQM_SUMS_EXPONENT,
                                       p->output_offset, p->output_minimum, p->output_maximum);
            out += row.step;
        }
    }
}

/**
 * @param[in]  pick     of the weights' width; NULL for 8 bits, and where there is
 * @param[in]  unpack   of the weights' width, where all channels are in groups of four.
 * @param[in]  input    the image.
 * @param[in]  weights  all taps in one packed run (layout linear).
 * @param[in]  steps    per channel, see sqm_unpack_1x1; NULL where all are 1.
 * @param[in]  table    three words a channel, as for sqm_depthwise3x3__armv7em_dsp.
 * @param      scratch  aligned to words: sq_micro/kernels/strips.py says how much.
 * @param[out] output   its codes.
 */
SQM_INLINE void sqm_depthwise_strips__armv7em_dsp(const sqm_depthwise_strips__armv7em_dsp_params *p,
                                                  sqm_pick_1x1 *pick, sqm_taps_1x4 *unpack,
                                                  const int8_t *input, const uint8_t *weights,
                                                  const int8_t *steps, const int32_t *table,
                                                  int8_t *scratch, int8_t *output)
{
    const sqm_strip_sizes sizes = sqm_strip_sizes_of(p);
    const uint32_t zeros = (uint32_t)(uint8_t)p->zero_point * 0x01010101u;
    const int32_t channels = p->channels * p->depth_multiplier;
    const int32_t of_input = p->depth_multiplier == 1 ? channels : p->depth_multiplier;
    uint32_t *const records = (uint32_t *)(void *)scratch;
    uint32_t *const band = records + SQM_STRIP_CHANNELS * sizes.record_words;
    uint32_t *const taps = band + (p->depth_multiplier == 1 ? SQM_STRIP_CHANNELS : 1) *
                                      p->down.window * sizes.columns_words;

    for (int32_t phase = 0; phase < p->down.dilation * p->across.dilation; ++phase) {
        const int32_t phase_down = phase / p->across.dilation;
        const int32_t phase_across = phase % p->across.dilation;
        const sqm_strip_axis down = sqm_strip_axis_phase(&p->down, phase_down);
        const sqm_strip_axis across = sqm_strip_axis_phase(&p->across, phase_across);
        const int32_t first_input =
            sqm_strip_axis_first(&p->down, phase_down, down.pad) * p->down.input_pixels +
            sqm_strip_axis_first(&p->across, phase_across, across.pad) * p->across.input_pixels;
        const int32_t first_output =
            phase_down * p->down.output_pixels + phase_across * p->across.output_pixels;

        if (across.output == 0) {
            continue;
        }
        for (int32_t i = 0; i < p->down.window; ++i) {
            sqm_strip_pad(&sizes, &zeros, band + i * sizes.columns_words);
        }
        for (int32_t channel = 0; channel < channels;) {
            const int32_t left = of_input - channel % of_input;
            const int32_t count = left < SQM_STRIP_CHANNELS ? left : SQM_STRIP_CHANNELS;
            const int32_t loaded = p->depth_multiplier == 1 ? count : 1;
            const int8_t *const image =
                input + first_input * p->channels + channel / p->depth_multiplier;
            sqm_strip_row row = {
                .records = records,
                .band = band,
                .output = output + first_output * channels + channel,
                .outputs = across.output,
                .lines = p->lines,
                .line_bytes = 4 * (p->down.window == 1 ? (p->line - 1) / 2 : sizes.columns_words),
                .turn = 0,
                .zero = p->output_offset,
                .step = across.output_pixels * channels,
                .channels = count,
                .channel_bytes = sizes.channel_bytes,
                .record_bytes = 4 * sizes.record_words,
                .sums = (int32_t *)taps,
            };
            int32_t next = 0;

            sqm_strip_taps(p, pick, unpack, weights, steps, channel, count, taps);
            sqm_strip_records(p, &sizes, taps, table + SQM_STRIP_HEAD_WORDS * channel, count,
                              records);
            for (int32_t y = 0; y < down.output; ++y) {
                const int32_t first = y * p->down.stride;
                for (next = next < first ? first : next; next < first + p->down.window; ++next) {
                    uint32_t *const to = band + next % p->down.window * sizes.columns_words;
                    const int32_t at = next - down.pad;
                    if (at < 0 || at >= down.input) {
                        sqm_strip_pad(&sizes, &zeros, to);
                    } else {
                        sqm_strip_load(&across, image + at * down.input_pixels * p->channels,
                                       across.input_pixels * p->channels, loaded, zeros, to,
                                       &sizes);
                    }
                }
                row.turn = 4 * sizes.line_words *
                           ((p->down.window - first % p->down.window) % p->down.window);
                if (p->sums != 0) {
                    sqm_strip_run_sums(p, &row);
                } else {
                    sqm_strip_run(p, &row);
                }
                row.output += down.output_pixels * channels;
            }
            channel += count;
        }
    }
}

#endif
