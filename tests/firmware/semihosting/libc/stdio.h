/* What the C tests use of stdio.h, for compilers that come without a C library. See ../libc.c. */
#ifndef SQM_TESTS_STDIO_H
#define SQM_TESTS_STDIO_H

#include <stddef.h>

/** Knows %s, %d, %u and %lld. */
__attribute__((format(printf, 1, 2))) int printf(const char *format, ...);
__attribute__((format(printf, 3, 4))) int snprintf(char *to, size_t bytes, const char *format, ...);

#endif
