/*
 * Depthwise 2D convolution with a 3x3 window on cores with DSP instructions, strides 1 and 2, one
 * output channel an input channel: four channels at a time, from the first row to the last, with
 * two pairs of rows in scratch (depthwise3x3.h).
 *
 * With output_width <= input_width and pad_top <= 2, output may begin where the input does: pair
 * j + 1 is read before output rows 2j and 2j + 1 (stride 2: row j) are written, what is read later
 * lies behind the end of those rows, and other channels are not touched. In any other case they
 * must not overlap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_DEPTHWISE_CONV2D_H
#define SQM_ARMV7EM_DSP_DEPTHWISE_CONV2D_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/armv7em_dsp/arithmetic.h"
#include "kernels/armv7em_dsp/depthwise3x3.h"
#include "kernels/armv7em_dsp/registers.h"
#include "kernels/kernel_api.h"
#include "kernels/requantize.h"
#include "sqm/compiler.h"

/** How sums become codes. */
enum {
    SQM_BAND_RELU = 0, /* clamp from the zero point to 127: zero point -128 */
    SQM_BAND_ANY = 1,  /* no clamp but int8's */
    SQM_BAND_SUMS = 2  /* any shifts and any clamp */
};

/**
 * stride       of both axes, 1 or 2.
 * zero_point   of the input.
 * requantize   SQM_BAND_*; it says what the table holds.
 */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t channels;
    int32_t output_height;
    int32_t output_width;
    int32_t stride;
    int32_t pad_top;
    int32_t pad_left;
    int32_t zero_point;
    int32_t output_offset;
    int32_t output_minimum;
    int32_t output_maximum;
    int32_t requantize;
} sqm_depthwise3x3__armv7em_dsp_params;

/** Padded columns that the windows of a row see. */
SQM_INLINE int32_t sqm_band_columns(const sqm_depthwise3x3__armv7em_dsp_params *p)
{
    return (p->output_width - 1) * p->stride + 3;
}

/** Where the columns of the image begin and end among them. */
SQM_INLINE int32_t sqm_band_columns_end(const sqm_depthwise3x3__armv7em_dsp_params *p)
{
    const int32_t columns = sqm_band_columns(p);
    const int32_t end = p->pad_left + p->input_width;
    return end < columns ? end : columns;
}

/** One row of a pair: four codes of its first column, and bytes to the next. */
typedef struct {
    const int8_t *codes;
    int32_t step;
} sqm_band_row;

/** Padded row `row` from a channel on: `zeros`, which are four zero points, outside the image. */
SQM_INLINE sqm_band_row sqm_band_row_at(const sqm_depthwise3x3__armv7em_dsp_params *p,
                                        const int8_t *channel, int32_t row, const uint32_t *zeros)
{
    const int32_t y = row - p->pad_top;
    if (y < 0 || y >= p->input_height) {
        return (sqm_band_row){(const int8_t *)zeros, 0};
    }
    return (sqm_band_row){channel + y * p->input_width * p->channels, p->channels};
}

/**
 * sqm_band_pair of fewer than four channels: the others hold what lies behind them in memory, but
 * for the last column, whose codes are taken one by one, since they may be the image's last.
 */
SQM_BESIDE_ASM void sqm_band_pair_of_few(const sqm_band_row rows[2], uint32_t *to, int32_t columns,
                                         int32_t count)
{
    uint32_t last[2] = {0, 0};

    if (--columns > 0) {
        sqm_band_pair(rows[0].codes, rows[1].codes, to, columns, rows[0].step, rows[1].step);
        to += columns * (SQM_BAND_COLUMN_BYTES / (int32_t)sizeof(uint32_t));
    }
    for (int32_t i = 0; i < 2 * count; ++i) {
        const sqm_band_row row = rows[i % 2];
        last[i % 2] |= (uint32_t)(uint8_t)row.codes[columns * row.step + i / 2] << (i / 2 * 8);
    }
    sqm_band_pair((const int8_t *)&last[0], (const int8_t *)&last[1], to, 1, 0, 0);
}

/** Pair `pair` of `count` channels. */
SQM_INLINE void sqm_band_load(const sqm_depthwise3x3__armv7em_dsp_params *p, const int8_t *channel,
                              int32_t count, int32_t pair, uint32_t *band)
{
    const uint32_t zeros = (uint32_t)(uint8_t)p->zero_point * 0x01010101u;
    const sqm_band_row rows[2] = {sqm_band_row_at(p, channel, 2 * pair, &zeros),
                                  sqm_band_row_at(p, channel, 2 * pair + 1, &zeros)};
    const int32_t columns = sqm_band_columns_end(p) - p->pad_left;
    uint32_t *const to =
        band + pair % 2 + p->pad_left * (SQM_BAND_COLUMN_BYTES / (int32_t)sizeof(uint32_t));

    if (count == SQM_BAND_CHANNELS) {
        sqm_band_pair(rows[0].codes, rows[1].codes, to, columns, rows[0].step, rows[1].step);
    } else {
        sqm_band_pair_of_few(rows, to, columns, count);
    }
}

/** The columns of padding, which stay what they are, in both pairs. */
SQM_BESIDE_ASM void sqm_band_pad(const sqm_depthwise3x3__armv7em_dsp_params *p, uint32_t *band)
{
    const uint32_t zeros = (uint32_t)(uint16_t)p->zero_point * 0x00010001u;
    const int32_t end = sqm_band_columns_end(p);
    const int32_t columns = sqm_band_columns(p);

    for (int32_t column = 0; column < columns; ++column) {
        if (column == p->pad_left) {
            column = end;
            band += (end - p->pad_left) * (SQM_BAND_COLUMN_BYTES / (int32_t)sizeof(uint32_t));
            if (column == columns) {
                break;
            }
        }
        for (int32_t i = 0; i < SQM_BAND_COLUMN_BYTES / (int32_t)sizeof(uint32_t); ++i) {
            *band++ = zeros;
        }
    }
}

/** Nine weights of `count` channels one by one. `pick` is NULL where they have 8 bits. */
SQM_INLINE void sqm_band_pick(const sqm_depthwise3x3__armv7em_dsp_params *p, sqm_pick_1x1 *pick,
                              const uint8_t *weights, const int8_t *steps, int32_t channel,
                              int32_t count, int8_t *taps)
{
    for (int32_t i = channel; i < channel + count; ++i, ++taps) {
        int8_t of_channel[9];
        if (pick != NULL) {
            pick(weights, 9 * p->channels, i, p->channels, 9, steps == NULL ? 1 : steps[i],
                 of_channel);
        }
        for (int32_t tap = 0; tap < 9; ++tap) {
            taps[tap * SQM_BAND_CHANNELS] =
                pick != NULL ? of_channel[tap] : (int8_t)weights[tap * p->channels + i];
        }
    }
}

/** Records of `count` channels from `channel` on. */
SQM_INLINE void sqm_band_prepare(const sqm_depthwise3x3__armv7em_dsp_params *p, sqm_pick_1x1 *pick,
                                 sqm_taps_1x4 *unpack, const uint8_t *weights, const int8_t *steps,
                                 const int32_t *table, int32_t channel, int32_t count,
                                 uint32_t *records)
{
    uint32_t words[3 * SQM_BAND_COLUMN_BYTES / sizeof(uint32_t)];
    uint32_t taps[9];
    const int8_t *w = (const int8_t *)taps;
    int32_t step = SQM_BAND_CHANNELS;

    if (unpack != NULL) {
        unpack(weights, 9, p->channels, channel, steps, taps);
    } else if (pick != NULL || count < SQM_BAND_CHANNELS) {
        sqm_band_pick(p, pick, weights, steps, channel, count, (int8_t *)taps);
    } else {
        w = (const int8_t *)weights + channel;
        step = p->channels;
    }
    sqm_band_pair(w, w + 3 * step, words, 3, step, step);
    sqm_band_pair(w + 3 * step, w + 6 * step, words + 1, 3, step, step);
    sqm_band_records(words, table + 3 * channel, count, records);
}

/** Pair `pair` and the one behind it to codes. */
SQM_INLINE void sqm_band_run(const sqm_depthwise3x3__armv7em_dsp_params *p,
                             const sqm_band_rows *rows, int32_t pair)
{
    const bool odd = pair % 2 != 0;
    if (p->stride == 1 && p->requantize == SQM_BAND_RELU) {
        odd ? sqm_band_1_relu_odd(rows) : sqm_band_1_relu_even(rows);
    } else if (p->stride == 1) {
        odd ? sqm_band_1_any_odd(rows) : sqm_band_1_any_even(rows);
    } else if (p->requantize == SQM_BAND_RELU) {
        odd ? sqm_band_2_relu_odd(rows) : sqm_band_2_relu_even(rows);
    } else {
        odd ? sqm_band_2_any_odd(rows) : sqm_band_2_any_even(rows);
    }
}

/** Channel `channel` of some, alone. */
SQM_INLINE sqm_band_rows sqm_band_one(const sqm_band_rows *rows, int32_t channel)
{
    sqm_band_rows one = *rows;
    one.records += SQM_BAND_RECORD_WORDS * channel;
    one.band += 2 * channel;
    one.output += channel;
    one.channels = 1;
    return one;
}

/** The same, by way of sums, channel by channel. */
SQM_INLINE void sqm_band_run_sums(const sqm_depthwise3x3__armv7em_dsp_params *p,
                                  const sqm_band_rows *rows, int32_t pair, int32_t *sums)
{
    const int32_t row_bytes = p->output_width * (int32_t)sizeof(int32_t);

    for (int32_t channel = 0; channel < rows->channels; ++channel) {
        sqm_band_rows one = sqm_band_one(rows, channel);
        one.output = (int8_t *)sums;
        one.lower = row_bytes;
        one.steps = sqm_band_steps(p->output_width, (int32_t)sizeof(int32_t));
        one.back = 0;
        if (p->stride == 1) {
            pair % 2 != 0 ? sqm_band_1_sums_odd(&one) : sqm_band_1_sums_even(&one);
        } else {
            pair % 2 != 0 ? sqm_band_2_sums_odd(&one) : sqm_band_2_sums_even(&one);
        }
        for (int32_t row = 0; row < (p->stride == 1 && rows->lower != 0 ? 2 : 1); ++row) {
            int8_t *out = rows->output + channel + row * rows->lower;
            for (int32_t x = 0; x < p->output_width; ++x) {
                *out = sqm_requantize_code(sums[row * p->output_width + x], (int32_t)one.records[1],
                                           (int32_t)one.records[SQM_BAND_RECORD_WORDS - 1] +
                                               SQM_SUMS_EXPONENT,
                                           p->output_offset, p->output_minimum, p->output_maximum);
                out += p->channels;
            }
        }
    }
}

/**
 * @param[in]  pick     of the weights' width; NULL for 8 bits, and where there is
 * @param[in]  unpack   of the weights' width, where the channels are a multiple of four.
 * @param[in]  input    input_height * input_width * channels codes.
 * @param[in]  weights  9 * channels codes in one packed run (layout linear).
 * @param[in]  steps    per channel, see sqm_unpack_1x1; NULL where all are 1.
 * @param[in]  table    three words a channel. The bias with -zero_point * sum of weights folded in,
 *                      and then for shifts below 0: -2^(32 + shift) and 2 * multiplier - 2^32; for
 *                      those of 0 to 7 the bias times 2^(shift + 1), -multiplier, and shift + 1;
 *                      for SQM_BAND_SUMS the bias as it is, multiplier, and shift - 31.
 * @param      scratch  aligned to words: ((output_width - 1) * stride + 3) * 32 + 144 bytes, and
 * for SQM_BAND_SUMS 8 * output_width more.
 * @param[out] output   output_height * output_width * channels codes.
 */
SQM_INLINE void sqm_depthwise3x3__armv7em_dsp(const sqm_depthwise3x3__armv7em_dsp_params *p,
                                              sqm_pick_1x1 *pick, sqm_taps_1x4 *unpack,
                                              const int8_t *input, const uint8_t *weights,
                                              const int8_t *steps, const int32_t *table,
                                              int8_t *scratch, int8_t *output)
{
    uint32_t *const records = (uint32_t *)(void *)scratch;
    uint32_t *const band = records + SQM_BAND_CHANNELS * SQM_BAND_RECORD_WORDS;
    int32_t *const sums =
        (int32_t *)(void *)((int8_t *)band + sqm_band_columns(p) * SQM_BAND_COLUMN_BYTES);
    const int32_t row_bytes = p->output_width * p->channels;
    const int32_t rows_at_once = p->stride == 1 ? 2 : 1;

    sqm_band_pad(p, band);
    for (int32_t channel = 0; channel < p->channels; channel += SQM_BAND_CHANNELS) {
        const int32_t left = p->channels - channel;
        sqm_band_rows rows = {
            .records = records,
            .band = band,
            .output = output + channel,
            .width = p->output_width * p->stride * SQM_BAND_COLUMN_BYTES - 8,
            .zero = p->output_offset,
            .lower = row_bytes,
            .back = row_bytes - 1,
            .channels = left < SQM_BAND_CHANNELS ? left : SQM_BAND_CHANNELS,
            .steps = sqm_band_steps(p->output_width, p->channels),
        };

        sqm_band_prepare(p, pick, unpack, weights, steps, table, channel, rows.channels, records);
        for (int32_t pair = 0; (pair - 1) * rows_at_once < p->output_height; ++pair) {
            sqm_band_load(p, input + channel, rows.channels, pair, band);
            if (pair == 0) {
                continue;
            }
            if (pair * rows_at_once > p->output_height) {
                rows.lower = 0;
            }
            if (p->requantize == SQM_BAND_SUMS) {
                sqm_band_run_sums(p, &rows, pair - 1, sums);
            } else {
                sqm_band_run(p, &rows, pair - 1);
            }
            rows.output += rows_at_once * row_bytes;
        }
    }
}

#endif
