/* SPDX-License-Identifier: Apache-2.0 */
/* Words in, text out, over the UART; without the C library, without floating point. */
#ifndef SQM_APP_TEXT_H
#define SQM_APP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Out ---- */

void sqm_text(const char *text);
void sqm_text_unsigned(uint64_t value);

/** Two hexadecimal digits in lower case. */
void sqm_text_hex(uint8_t byte);

/**
 * factor * mantissa / 2^shift with three decimals, as printf writes the same number with %0.3f:
 * exact, ties to the even digit. |factor| <= 255, 0 <= mantissa < 2^24, 0 <= shift <= 62.
 */
void sqm_text_scaled(int32_t factor, uint32_t mantissa, uint32_t shift);

/* ---- In: words between spaces ---- */

/** Begin with a line, which is taken apart. @return its first word, NULL where there is none. */
const char *sqm_text_first_word(char *line);
const char *sqm_text_next_word(void);

bool sqm_text_equal(const char *a, const char *b);
uint32_t sqm_text_length(const char *text);

/** The integer that a word begins with, clamped to int32_t; 0 where it begins with none. */
int32_t sqm_text_integer(const char *word);

/** The byte of two hexadecimal digits, -1 where they are none. */
int32_t sqm_text_hex_byte(const char *digits);

#endif
