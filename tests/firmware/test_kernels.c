/*
 * Every microkernel of kernels.def against a scalar model: all lengths that leave a tail, all steps, random codes
 * at any alignment, in buffers that end with the row. A kernel that is listed and not written does not link.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"
#include "kernels/kernel_api.h"
#include "kernels/portable_c/meta.h"

#define LARGEST_K 70
#define TRIALS    4

enum { BITS_w8 = 8, BITS_w6 = 6, BITS_w5 = 5, BITS_w4 = 4, BITS_w3 = 3, BITS_w2 = 2 };

typedef struct {
    const char *name;
    int32_t bits;
    int32_t k_multiple;
} kernel;

/** Steps that a width knows: all widths mirror, those below 8 bits hold 2v + 1 in an int8. */
static int32_t random_step(int32_t bits)
{
    static const int32_t steps[3] = {1, -1, 2};
    return steps[random_between(0, bits == 8 ? 1 : 2)];
}

static void random_codes(int8_t *codes, int32_t count, int32_t bits)
{
    for (int32_t i = 0; i < count; ++i) {
        codes[i] = random_code(bits);
    }
}

static uint8_t *packed(const int8_t *codes, int32_t count, int32_t bits)
{
    uint8_t *row = buffer(packed_bytes(count, bits));
    pack_linear(codes, count, bits, row);
    return row;
}

static void check_dot_1x1(kernel kernel, sqm_dot_1x1 *dot)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t k = (n % LARGEST_K + 1) * kernel.k_multiple;
        const int32_t offset = random_between(-127, 128);
        const int8_t *x = buffer(k);
        int8_t *codes = buffer(k);
        int64_t expected = 0;

        random_codes(codes, k, kernel.bits);
        for (int32_t i = 0; i < k; ++i) {
            expected += (x[i] + offset) * codes[i];
        }
        expect_value(kernel.name, k, dot(x, offset, packed(codes, k, kernel.bits), k), expected);
    }
}

static void check_dot_1x4(kernel kernel, sqm_dot_1x4 *dot)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t k = (n % LARGEST_K + 1) * kernel.k_multiple;
        const int32_t row_stride = k + random_between(0, 9);
        const int32_t offset = random_between(-127, 128);
        const int8_t *x = buffer(k);
        int8_t *rows = buffer(3 * row_stride + k);
        int32_t acc[4];
        int64_t expected[4];

        random_codes(rows, 3 * row_stride + k, kernel.bits);
        for (int32_t j = 0; j < 4; ++j) {
            expected[j] = acc[j] = random_between(-100000, 100000);
            for (int32_t i = 0; i < k; ++i) {
                expected[j] += (x[i] + offset) * rows[j * row_stride + i];
            }
        }
        dot(x, offset, rows, row_stride, k, acc);
        for (int32_t j = 0; j < 4; ++j) {
            expect_value(kernel.name, k, acc[j], expected[j]);
        }
    }
}

static void check_unpack_1x1(kernel kernel, sqm_unpack_1x1 *unpack)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t k = (n % LARGEST_K + 1) * kernel.k_multiple;
        const int32_t step = random_step(kernel.bits);
        int8_t *codes = buffer(k);
        int8_t *expected = buffer(k);
        int8_t *got = buffer(k);

        random_codes(codes, k, kernel.bits);
        for (int32_t i = 0; i < k; ++i) {
            expected[i] = weight_of(codes[i], step);
        }
        unpack(packed(codes, k, kernel.bits), k, step, got);
        expect_codes(kernel.name, got, expected, k);
    }
}

static void check_pick_1x1(kernel kernel, sqm_pick_1x1 *pick)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t channels = n % LARGEST_K + 1;
        const int32_t taps = random_between(1, 12);
        const int32_t channel = random_between(0, channels - 1);
        const int32_t step = random_step(kernel.bits);
        int8_t *codes = buffer(taps * channels);
        int8_t *expected = buffer(taps);
        int8_t *got = buffer(taps);

        random_codes(codes, taps * channels, kernel.bits);
        for (int32_t i = 0; i < taps; ++i) {
            expected[i] = weight_of(codes[channel + i * channels], step);
        }
        pick(packed(codes, taps * channels, kernel.bits), taps * channels, channel, channels, taps,
             step, got);
        expect_codes(kernel.name, got, expected, taps);
    }
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
#define SQM_KERNEL(microkernel, act, wgt, tile, isa, k_multiple, layout)                           \
    check_##microkernel##_##tile((kernel){#microkernel "_" #act "_" #wgt "_" #tile "__" #isa,      \
                                          BITS_##wgt, k_multiple},                                 \
                                 sqm_##microkernel##_##act##_##wgt##_##tile##__##isa);
#include "kernels/kernels.def"
    return report("kernels");
}
