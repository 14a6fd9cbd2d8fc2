/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four functions that compilers call without being asked (GCC manual, "Language Standards
 * Supported by GCC"). CMakeLists.txt compiles this file so that no loop here becomes a call of the
 * very function it is in.
 */
#include <stddef.h>
#include <stdint.h>

/* A word that may lie anywhere and alias anything: one load where the core takes unaligned
 * addresses, four where it does not. */
typedef uint32_t any_word __attribute__((may_alias, aligned(1)));
typedef uint32_t aligned_word __attribute__((may_alias));

#define WORD sizeof(uint32_t)

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);

static inline void copy_up(uint8_t *to, const uint8_t *from, size_t count)
{
    for (; count > 0 && ((uintptr_t)to % WORD) != 0; --count) {
        *to++ = *from++;
    }
    for (; count >= WORD; count -= WORD, to += WORD, from += WORD) {
        *(aligned_word *)(void *)to = *(const any_word *)(const void *)from;
    }
    for (; count > 0; --count) {
        *to++ = *from++;
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    copy_up(to, from, count);
    return to;
}

void *memmove(void *to, const void *from, size_t count)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    /* One comparison: true also where `out` lies below `in`, since the difference wraps. */
    if ((uintptr_t)out - (uintptr_t)in >= count) {
        /* Upwards every word is read before a later store can reach it, whatever the overlap. */
        copy_up(out, in, count);
    } else {
        while (count > 0) {
            --count;
            out[count] = in[count];
        }
    }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    uint8_t *out = to;
    const uint8_t byte = (uint8_t)value;
    const uint32_t word = byte * 0x01010101u;
    for (; count > 0 && ((uintptr_t)out % WORD) != 0; --count) {
        *out++ = byte;
    }
    for (; count >= WORD; count -= WORD, out += WORD) {
        *(aligned_word *)(void *)out = word;
    }
    for (; count > 0; --count) {
        *out++ = byte;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t count)
{
    const uint8_t *a = left;
    const uint8_t *b = right;
    for (; count > 0; --count, ++a, ++b) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}
