/*
 * Every microkernel of kernels.def against a scalar model: all lengths that leave a tail, all
 * steps, random codes and those at an end of their range, at any alignment, in buffers that end
 * with the row. A kernel that is listed and not written does not link.
 *
 * Kernels are called through volatile pointers: gcc refuses to inline an always_inline function
 * that it finds late behind a pointer, which happens where a family has one member.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"
#include "kernels/kernel_api.h"
#include "kernels/portable_c/meta.h"

#define LARGEST_K  70
#define CONTRACT_K 65536 /* up to here kernel_api.h promises sums that fit */
#define TRIALS     4

enum { BITS_w8 = 8, BITS_w6 = 6, BITS_w5 = 5, BITS_w4 = 4, BITS_w3 = 3, BITS_w2 = 2 };

typedef struct {
    const char *name;
    int32_t bits;
    int32_t k_multiple;
    void (*pack)(const int8_t *codes, int32_t count, int32_t bits, uint8_t *packed);
} kernel;

/** Steps that a width knows: all widths mirror, those below 8 bits hold 2v + 1 in an int8. */
static int32_t random_step(int32_t bits)
{
    static const int32_t steps[3] = {1, -1, 2};
    return steps[random_between(0, bits == 8 ? 1 : 2)];
}

static uint8_t *packed(kernel kernel, const int8_t *codes, int32_t count)
{
    uint8_t *row = buffer(packed_bytes(count, kernel.bits));
    kernel.pack(codes, count, kernel.bits, row);
    return row;
}

static void check_dot_1x1(kernel kernel, sqm_dot_1x1 *volatile dot)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t k = (n % LARGEST_K + 1) * kernel.k_multiple;
        const int32_t offset = random_input_offset();
        const int8_t *x = activations(k);
        int8_t *codes = buffer(k);
        int64_t expected = 0;

        draw_codes(codes, k, kernel.bits);
        for (int32_t i = 0; i < k; ++i) {
            expected += (x[i] + offset) * codes[i];
        }
        expect_value(kernel.name, k, dot(x, offset, packed(kernel, codes, k), k), expected);
    }
    expect_value(kernel.name, 0, dot(buffer(0), 128, buffer(0), 0), 0);
}

/** The largest sum that the contract allows: the sanitizer reports it if it leaves int32. */
static void check_dot_bound(kernel kernel, sqm_dot_1x1 *volatile dot)
{
    const int32_t k = CONTRACT_K / kernel.k_multiple * kernel.k_multiple;
    const int32_t code = kernel.bits == 8 ? -127 : -(1 << (kernel.bits - 1));
    int8_t *x = buffer(k);
    int8_t *codes = buffer(k);

    memset(x, INT8_MAX, (size_t)k);
    memset(codes, code, (size_t)k);
    expect_value(kernel.name, k, dot(x, 128, packed(kernel, codes, k), k), INT64_C(255) * code * k);
}

static void check_dot_1x4(kernel kernel, sqm_dot_1x4 *volatile dot)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t k = (n % LARGEST_K + 1) * kernel.k_multiple;
        const int32_t row_stride = k + random_between(0, 9);
        const int32_t offset = random_input_offset();
        const int8_t *x = activations(k);
        int8_t *rows = buffer(3 * row_stride + k);
        int32_t acc[4];
        int64_t expected[4];

        draw_codes(rows, 3 * row_stride + k, kernel.bits);
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
        /* A window in the padding has no taps, or fewer: nothing is read, nothing is added. */
        dot(buffer(0), offset, rows, row_stride, -random_between(0, LARGEST_K), acc);
        for (int32_t j = 0; j < 4; ++j) {
            expect_value(kernel.name, 0, acc[j], expected[j]);
        }
    }
}

/** Weights of every meaning; now and then each sum is as large as it can be. */
static void check_pairs_1x4(kernel kernel, sqm_pairs_1x4 *volatile pairs)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t multiple = random_between(1, 24);
        const int32_t k = (n % LARGEST_K / multiple + 1) * multiple;
        const int32_t offset = random_input_offset();
        const int8_t *x = activations(k);
        uint32_t *packed_words = (uint32_t *)(void *)words(2 * k);
        int32_t acc[4];
        int64_t expected[4];

        memset(packed_words, 0, (size_t)k * 8);
        for (int32_t j = 0; j < 4; ++j) {
            const int32_t step = kernel.bits == 2 ? random_step(2) : random_between(0, 1) ? 1 : -1;
            int8_t *codes = buffer(k);
            draw_codes(codes, k, kernel.bits);
            expected[j] = acc[j] = random_between(-100000, 100000);
            for (int32_t i = 0; i < k; ++i) {
                const int32_t weight = weight_of(codes[i], step);
                packed_words[2 * i + j / 2] += (uint32_t)weight << (j % 2 * 16);
                expected[j] += (x[i] + offset) * weight;
            }
        }
        pairs(x, offset, packed_words, k, multiple, acc);
        pairs(buffer(0), offset, NULL, -multiple * random_between(0, 3), multiple, acc);
        for (int32_t j = 0; j < 4; ++j) {
            expect_value(kernel.name, k, acc[j], expected[j]);
        }
    }
}

static void check_unpack_1x1(kernel kernel, sqm_unpack_1x1 *volatile unpack)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t k = (n % LARGEST_K + 1) * kernel.k_multiple;
        const int32_t step = random_step(kernel.bits);
        int8_t *codes = buffer(k);
        int8_t *expected = buffer(k);
        int8_t *got = buffer(k);

        draw_codes(codes, k, kernel.bits);
        for (int32_t i = 0; i < k; ++i) {
            expected[i] = weight_of(codes[i], step);
        }
        unpack(packed(kernel, codes, k), k, step, got);
        expect_codes(kernel.name, got, expected, k);
    }
}

static void check_pick_1x1(kernel kernel, sqm_pick_1x1 *volatile pick)
{
    for (int32_t n = 0; n < LARGEST_K * TRIALS; ++n) {
        const int32_t channels = n % LARGEST_K + 1;
        const int32_t taps = random_between(1, 12);
        const int32_t channel = random_between(0, channels - 1);
        const int32_t step = random_step(kernel.bits);
        int8_t *codes = buffer(taps * channels);
        int8_t *expected = buffer(taps);
        int8_t *got = buffer(taps);

        draw_codes(codes, taps * channels, kernel.bits);
        for (int32_t i = 0; i < taps; ++i) {
            expected[i] = weight_of(codes[channel + i * channels], step);
        }
        pick(packed(kernel, codes, taps * channels), taps * channels, channel, channels, taps, step,
             got);
        expect_codes(kernel.name, got, expected, taps);
    }
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
#define SQM_KERNEL(microkernel, act, wgt, tile, isa, k_multiple, layout)                           \
    check_##microkernel##_##tile((kernel){#microkernel "_" #act "_" #wgt "_" #tile "__" #isa,      \
                                          BITS_##wgt, k_multiple, pack_##layout},                  \
                                 sqm_##microkernel##_##act##_##wgt##_##tile##__##isa);
#include "kernels/kernels.def"
    check_dot_bound((kernel){"dot w8, largest sum", 8, 1, pack_linear}, sqm_dot_s8_w8_1x1__c);
    check_dot_bound((kernel){"dot w6, largest sum", 6, 1, pack_linear}, sqm_dot_s8_w6_1x1__c);
    check_dot_bound((kernel){"dot w2, largest sum", 2, 1, pack_linear}, sqm_dot_s8_w2_1x1__c);
    return report("kernels");
}
