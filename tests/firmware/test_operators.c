/*
 * Operators that map codes one by one, and softmax, against their definitions: integers exactly,
 * softmax and sigmoid to one code of the real function (tests/differential compares them bit for
 * bit). Each also in place, which their contracts allow.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <math.h>
#include <stdbool.h>

#include "check.h"
#include "kernels/operators/add.h"
#include "kernels/operators/rescale.h"
#include "kernels/operators/sigmoid.h"
#include "kernels/operators/softmax.h"

#define TRIALS 400

static int32_t random_multiplier(void)
{
    return random_between(1 << 30, INT32_MAX);
}

/** A copy in a buffer of its own, for nests that may write where they read. */
static int8_t *copy_of(const int8_t *codes, int32_t count)
{
    return memcpy(buffer(count), codes, (size_t)count);
}

/* ---- Code by code ---- */

static void check_add(void)
{
    const int32_t elements = random_between(1, 40);
    const bool half = random_between(0, 1) != 0; /* the larger scale's factor, in every network */
    const sqm_add_params p = {
        .elements = elements,
        .left_offset = random_input_offset(),
        .right_offset = random_input_offset(),
        .output_offset = random_between(-128, 127),
        .left_multiplier = half ? 1 << 30 : random_multiplier(),
        .left_shift = half ? 0 : random_between(-8, 0),
        .right_multiplier = random_multiplier(),
        .right_shift = random_between(-8, 0),
        .output_multiplier = random_multiplier(),
        .output_shift = random_between(-22, -16),
        .output_minimum = random_between(0, 1) ? -128 : random_between(-128, 0),
        .output_maximum = random_between(0, 1) ? 127 : random_between(0, 127)};
    const int8_t *left = activations(elements);
    const int8_t *right = activations(elements);
    int8_t *expected = buffer(elements);
    int8_t *got = buffer(elements);

    for (int32_t i = 0; i < elements; ++i) {
        const int64_t a = (left[i] + p.left_offset) * INT64_C(1048576);
        const int64_t b = (right[i] + p.right_offset) * INT64_C(1048576);
        const int64_t sum = naive_requantize(a, p.left_multiplier, p.left_shift) +
                            naive_requantize(b, p.right_multiplier, p.right_shift);
        expected[i] = naive_code(sum, p.output_multiplier, p.output_shift, p.output_offset,
                                 p.output_minimum, p.output_maximum);
    }
    sqm_add(&p, left, right, got);
    expect_codes("add", got, expected, elements);
    int8_t *place = copy_of(left, elements);
    sqm_add(&p, place, right, place);
    expect_codes("add over its left input", place, expected, elements);
}

static void check_rescale(void)
{
    const sqm_rescale_params p = {.elements = 256,
                                  .input_offset = random_input_offset(),
                                  .output_offset = random_between(-128, 127),
                                  .multiplier = random_multiplier(),
                                  .shift = random_between(-31, 22),
                                  .output_minimum = random_between(-128, 0),
                                  .output_maximum = random_between(0, 127)};
    int8_t *input = buffer(256);
    int8_t *expected = buffer(256);
    int8_t *got = buffer(256);

    for (int32_t i = 0; i < 256; ++i) {
        input[i] = (int8_t)(i - 128);
        expected[i] = naive_code(input[i] + p.input_offset, p.multiplier, p.shift, p.output_offset,
                                 p.output_minimum, p.output_maximum);
    }
    sqm_rescale(&p, input, got);
    expect_codes("rescale", got, expected, 256);
    sqm_rescale(&p, input, input);
    expect_codes("rescale in place", input, expected, 256);
}

/* ---- Fixed point, against the real functions ---- */

/** TFLite's QuantizeMultiplier, and the largest input that does not overflow the integer bits. */
static void scale_input(double scale, int32_t integer_bits, int32_t *multiplier, int32_t *shift,
                        int32_t *radius)
{
    const double real = scale * ldexp(1, 31 - integer_bits);
    int exponent;
    const double fraction = frexp(real, &exponent);

    *multiplier = (int32_t)fmin(floor(fraction * 2147483648.0 + 0.5), INT32_MAX);
    *shift = exponent;
    *radius = (int32_t)floor(((1 << integer_bits) - 1) * ldexp(1, 31 - integer_bits - exponent));
}

static void expect_near(const char *what, const int8_t *got, const double *real, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        const double expected = fmin(fmax(real[i] * 256 - 128, -128), 127);
        if (fabs(got[i] - expected) > 1) {
            expect_value(what, i, got[i], lround(expected));
        }
    }
}

static void check_sigmoid(void)
{
    const double scale = ldexp(1, random_between(-10, 0)) * random_between(100, 199) / 100;
    sqm_sigmoid_params p = {.elements = 256, .input_offset = random_input_offset()};
    int8_t *codes = buffer(256);
    double real[256];

    scale_input(scale, 4, &p.multiplier, &p.shift, &p.radius);
    for (int32_t i = 0; i < 256; ++i) {
        codes[i] = (int8_t)(i - 128);
        real[i] = 1 / (1 + exp(-scale * (codes[i] + p.input_offset)));
    }
    sqm_sigmoid(&p, codes, codes);
    expect_near("sigmoid", codes, real, 256);
}

static void check_softmax(void)
{
    const double scale = ldexp(1, random_between(-10, 1)) * random_between(100, 199) / 100;
    const int32_t depth = random_between(0, 9) ? random_between(1, 12) : 3000;
    const int32_t rows = random_between(1, 3);
    sqm_softmax_params p = {.rows = rows, .depth = depth};
    int8_t *codes = activations(rows * depth);
    double *real = malloc((size_t)(rows * depth) * sizeof *real);
    int32_t radius;

    if (real == NULL) {
        abort();
    }
    scale_input(scale, 5, &p.multiplier, &p.shift, &radius);
    p.diff_min = -radius;
    for (int32_t row = 0; row < rows; ++row) {
        double sum = 0;
        for (int32_t i = 0; i < depth; ++i) {
            sum += real[row * depth + i] = exp(scale * codes[row * depth + i]);
        }
        for (int32_t i = 0; i < depth; ++i) {
            real[row * depth + i] /= sum;
        }
    }
    sqm_softmax(&p, codes, codes);
    expect_near("softmax", codes, real, rows * depth);
    free(real);
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    for (int32_t n = 0; n < TRIALS; ++n) {
        check_add();
        check_rescale();
        check_sigmoid();
        check_softmax();
    }
    return report("operators");
}
