/* What the C tests use of stdlib.h, for compilers that come without a C library. See ../libc.c. */
#ifndef SQM_TESTS_STDLIB_H
#define SQM_TESTS_STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

void *malloc(size_t bytes);
void free(void *memory);
__attribute__((noreturn)) void abort(void);
int abs(int value);
unsigned long strtoul(const char *text, char **end, int base);

#endif
