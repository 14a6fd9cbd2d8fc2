/*
 * As much of a C library as the tests need, over Arm semihosting, for compilers that come without
 * one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYS_OPEN             1
#define SYS_WRITE            5
#define SYS_EXIT_EXTENDED    0x20
#define ADP_APPLICATION_EXIT 0x20026u
#define CPACR                (*(volatile uint32_t *)0xE000ED88u)
#define HEAP_BYTES           (2 << 20)
#define LINE_BYTES           512

int main(int argc, char **argv);
void _start(void);

static int semihosting(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static __attribute__((noreturn)) void leave(int status)
{
    const uint32_t block[2] = {ADP_APPLICATION_EXIT, (uint32_t)status};
    for (;;) {
        semihosting(SYS_EXIT_EXTENDED, block);
    }
}

void _start(void)
{
    CPACR |= 0xFu << 20; /* the FPU */
    __asm__ volatile("dsb\n\tisb");
    leave(main(0, NULL));
}

void abort(void)
{
    leave(134);
}

/* ---- Memory ---- */

/** A piece's size is a power of two; freed ones of a size form a list. */
typedef struct piece {
    uint32_t exponent;
    struct piece *next;
} piece;

static piece *freed[32];

void *malloc(size_t bytes)
{
    static _Alignas(8) uint8_t heap[HEAP_BYTES];
    static size_t used;
    uint32_t exponent = 4;
    piece *found;

    while (((size_t)1 << exponent) < sizeof(piece) + bytes) {
        ++exponent;
    }
    found = freed[exponent];
    if (found != NULL) {
        freed[exponent] = found->next;
        return found + 1;
    }
    if (((size_t)1 << exponent) > HEAP_BYTES - used) {
        abort();
    }
    found = (piece *)(void *)(heap + used);
    used += (size_t)1 << exponent;
    found->exponent = exponent;
    return found + 1;
}

void free(void *memory)
{
    if (memory != NULL) {
        piece *const old = (piece *)memory - 1;
        old->next = freed[old->exponent];
        freed[old->exponent] = old;
    }
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
        __asm__("");
    }
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        ((uint8_t *)to)[i] = (uint8_t)value;
        __asm__("");
    }
    return to;
}

/* ---- Text ---- */

int abs(int value)
{
    return value < 0 ? -value : value;
}

unsigned long strtoul(const char *text, char **end, int base)
{
    unsigned long value = 0;
    for (; *text >= '0' && *text <= '9'; ++text) {
        value = value * (unsigned long)base + (unsigned long)(*text - '0');
    }
    if (end != NULL) {
        *end = (char *)(uintptr_t)text;
    }
    return value;
}

typedef struct {
    char *to;
    size_t left;
} sink;

static void put(sink *s, char c)
{
    if (s->left > 1) {
        *s->to++ = c;
        --s->left;
    }
}

static void put_number(sink *s, bool negative, uint64_t magnitude)
{
    char digits[20];
    int count = 0;

    if (negative) {
        put(s, '-');
    }
    do {
        digits[count++] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude != 0);
    while (count > 0) {
        put(s, digits[--count]);
    }
}

static void put_signed(sink *s, int64_t value)
{
    put_number(s, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void format_to(sink *s, const char *format, va_list arguments)
{
    for (; *format != '\0'; ++format) {
        if (*format != '%') {
            put(s, *format);
        } else if (*++format == 's') {
            for (const char *text = va_arg(arguments, const char *); *text != '\0'; ++text) {
                put(s, *text);
            }
        } else if (*format == 'd') {
            put_signed(s, va_arg(arguments, int));
        } else if (*format == 'u') {
            put_number(s, false, va_arg(arguments, unsigned));
        } else if (format[0] == 'l' && format[1] == 'l' && format[2] == 'd') {
            put_signed(s, va_arg(arguments, long long));
            format += 2;
        } else {
            abort();
        }
    }
    *s->to = '\0';
}

/** To QEMU's standard output, which is what ":tt" opened for writing is. */
static void write_out(const char *text, size_t bytes)
{
    static int console = -1;
    if (console < 0) {
        const uint32_t name[3] = {(uint32_t)(uintptr_t)":tt", 4, 3};
        console = semihosting(SYS_OPEN, name);
    }
    const uint32_t block[3] = {(uint32_t)console, (uint32_t)(uintptr_t)text, (uint32_t)bytes};
    semihosting(SYS_WRITE, block);
}

int printf(const char *format, ...)
{
    static char line[LINE_BYTES];
    sink s = {line, sizeof line};
    va_list arguments;

    va_start(arguments, format);
    format_to(&s, format, arguments);
    va_end(arguments);
    write_out(line, sizeof line - s.left);
    return 0;
}

int snprintf(char *to, size_t bytes, const char *format, ...)
{
    sink s = {to, bytes};
    va_list arguments;

    va_start(arguments, format);
    format_to(&s, format, arguments);
    va_end(arguments);
    return 0;
}
