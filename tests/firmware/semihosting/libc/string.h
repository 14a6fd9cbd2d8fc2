/* What the C tests use of string.h, for compilers that come without a C library. See ../libc.c. */
#ifndef SQM_TESTS_STRING_H
#define SQM_TESTS_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

#endif
