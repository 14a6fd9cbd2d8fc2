/*
 * What the C tests share: reproducible random numbers, buffers whose ends the address sanitizer
 * guards, comparisons that name the first difference, and naive models of packing and
 * requantization.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_TESTS_CHECK_H
#define SQM_TESTS_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Random numbers ---- */

/** Of a program without arguments. */
#ifndef SEED
#define SEED 20240517u
#endif

static uint32_t random_seed = 1;
static uint64_t random_state = 1;

static inline void random_begin(int argc, char **argv)
{
    random_seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : SEED;
    random_state = random_seed;
}

static inline uint32_t random_u32(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 32);
}

/** Uniform in [low, high]. */
static inline int32_t random_between(int32_t low, int32_t high)
{
    const uint64_t values = (uint64_t)((int64_t)high - low) + 1;
    return (int32_t)(low + (int64_t)(random_u32() % values));
}

/* ---- Buffers ---- */

/** `bytes` bytes of noise at any alignment, ending where the allocation ends. Released at exit. */
static inline void *buffer(int32_t bytes)
{
    static void *allocations[4096];
    static size_t used;
    const size_t skew = random_u32() % 4;
    uint8_t *memory = malloc(skew + (size_t)bytes);

    if (memory == NULL) {
        abort();
    }
    free(allocations[used % 4096]);
    allocations[used++ % 4096] = memory;
    for (size_t i = 0; i < skew + (size_t)bytes; ++i) {
        memory[i] = (uint8_t)random_u32();
    }
    return memory + skew;
}

/** Same, aligned for int32. */
static inline int32_t *words(int32_t count)
{
    const size_t bytes = (size_t)count * sizeof(int32_t);
    uint8_t *memory = buffer((int32_t)bytes + 4);
    return (int32_t *)(void *)(memory + (4 - (uintptr_t)memory % 4) % 4);
}

/* ---- Comparisons ---- */

static int failures;

static inline void expect_codes(const char *what, const int8_t *got, const int8_t *expected,
                                int32_t count)
{
    int32_t different = 0;
    int32_t first = -1;

    for (int32_t i = 0; i < count; ++i) {
        if (got[i] != expected[i]) {
            first = different++ == 0 ? i : first;
        }
    }
    if (different != 0) {
        printf("%s: first difference at %d: got %d, expected %d; %d of %d differ (seed %u)\n", what,
               (int)first, got[first], expected[first], (int)different, (int)count,
               (unsigned)random_seed);
        ++failures;
    }
}

static inline void expect_value(const char *what, int32_t index, int64_t got, int64_t expected)
{
    if (got != expected) {
        printf("%s: at %d: got %lld, expected %lld (seed %u)\n", what, (int)index, (long long)got,
               (long long)expected, (unsigned)random_seed);
        ++failures;
    }
}

static inline int report(const char *what)
{
    printf("%s: %s\n", what, failures == 0 ? "ok" : "FAILED");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- Naive models ---- */

static inline int32_t low_bits_of(int32_t bits)
{
    return bits == 6 ? 2 : bits == 5 || bits == 3 ? 1 : 0;
}

static inline int32_t packed_bytes(int32_t codes, int32_t bits)
{
    const int32_t low = low_bits_of(bits);
    return (codes * (bits - low) + 7) / 8 + (codes * low + 7) / 8;
}

/** Bit by bit, as kernels/README.md draws it. */
static inline void pack_linear(const int8_t *codes, int32_t count, int32_t bits, uint8_t *packed)
{
    const int32_t low = low_bits_of(bits);
    const int32_t high = bits - low;
    uint8_t *const low_plane = packed + (count * high + 7) / 8;

    memset(packed, 0, (size_t)packed_bytes(count, bits));
    for (int32_t i = 0; i < count; ++i) {
        for (int32_t bit = 0; bit < bits; ++bit) {
            const int32_t at = bit < low ? i * low + bit : i * high + bit - low;
            uint8_t *const plane = bit < low ? low_plane : packed;
            if (((uint8_t)codes[i] >> bit & 1) != 0) {
                plane[at / 8] = (uint8_t)(plane[at / 8] | 1 << at % 8);
            }
        }
    }
}

/** Any int8 values, or all at one end: sums are largest there. */
static inline void draw_between(int8_t *values, int32_t count, int32_t low, int32_t high)
{
    const int32_t manner = random_between(0, 9);

    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = random_between(low, high);
        values[i] = (int8_t)(manner == 0 ? low : manner == 1 ? high : value);
    }
}

/** Codes of some bits; -128 is no 8-bit weight. */
static inline void draw_codes(int8_t *codes, int32_t count, int32_t bits)
{
    const int32_t half = 1 << (bits - 1);
    draw_between(codes, count, bits == 8 ? -127 : -half, half - 1);
}

/** `count` activations in a buffer of their own. */
static inline int8_t *activations(int32_t count)
{
    int8_t *x = buffer(count);
    draw_between(x, count, INT8_MIN, INT8_MAX);
    return x;
}

/** Minus a zero point, at an end of its range now and then. */
static inline int32_t random_input_offset(void)
{
    const int32_t manner = random_between(0, 7);
    return manner == 0 ? -127 : manner == 1 ? 128 : random_between(-127, 128);
}

static inline int8_t weight_of(int8_t code, int32_t step)
{
    return (int8_t)(step == 1 ? code : step == -1 ? -code : 2 * code + 1);
}

/** TFLite's two roundings, from their definitions: gemmlowp's truncating division, then half away
 * from zero. */
static inline int64_t naive_requantize(int64_t acc, int32_t multiplier, int32_t shift)
{
    const int32_t right = shift < 0 ? -shift : 0;
    const int64_t product = (shift > 0 ? acc * (INT64_C(1) << shift) : acc) * multiplier;
    const int64_t nudge = product >= 0 ? INT64_C(1) << 30 : 1 - (INT64_C(1) << 30);
    const int64_t doubled = (product + nudge) / (INT64_C(1) << 31);
    const int64_t magnitude = doubled < 0 ? -doubled : doubled;
    const int64_t rounded = (magnitude + ((INT64_C(1) << right) >> 1)) / (INT64_C(1) << right);

    return doubled < 0 ? -rounded : rounded;
}

static inline int8_t naive_code(int64_t acc, int32_t multiplier, int32_t shift, int32_t offset,
                                int32_t minimum, int32_t maximum)
{
    const int64_t code = naive_requantize(acc, multiplier, shift) + offset;
    return (int8_t)(code < minimum ? minimum : code > maximum ? maximum : code);
}

#endif
