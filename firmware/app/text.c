/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text.h"

#include "sqm/hal.h"

#define DIGITS 20 /* of 2^64 */

/* ---- Out ---- */

void sqm_text(const char *text)
{
    for (; *text != '\0'; ++text) {
        sqm_uart_write((uint8_t)*text);
    }
}

void sqm_text_unsigned(uint64_t value)
{
    char digits[DIGITS + 1];
    uint32_t at = DIGITS;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0);
    sqm_text(digits + at);
}

void sqm_text_hex(uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    sqm_uart_write((uint8_t)digits[byte >> 4]);
    sqm_uart_write((uint8_t)digits[byte & 0xFu]);
}

void sqm_text_scaled(int32_t factor, uint32_t mantissa, uint32_t shift)
{
    const uint32_t size = factor < 0 ? (uint32_t)-factor : (uint32_t)factor;
    const uint64_t exact = (uint64_t)size * 1000u * mantissa; /* below 2^42 */
    uint64_t thousandths = exact >> shift;
    const uint64_t rest = exact - (thousandths << shift);
    const uint64_t half = (1ull << shift) >> 1;
    if (rest > half || (rest == half && half != 0 && thousandths % 2u != 0)) {
        ++thousandths;
    }
    if (factor < 0 && mantissa != 0) {
        sqm_text("-");
    }
    sqm_text_unsigned(thousandths / 1000u);
    sqm_text(".");
    const uint32_t decimals = (uint32_t)(thousandths % 1000u);
    sqm_uart_write((uint8_t)('0' + decimals / 100u));
    sqm_uart_write((uint8_t)('0' + decimals / 10u % 10u));
    sqm_uart_write((uint8_t)('0' + decimals % 10u));
}

/* ---- In ---- */

static char *rest_of_line;

const char *sqm_text_next_word(void)
{
    while (*rest_of_line == ' ') {
        ++rest_of_line;
    }
    if (*rest_of_line == '\0') {
        return NULL;
    }
    const char *const word = rest_of_line;
    while (*rest_of_line != ' ' && *rest_of_line != '\0') {
        ++rest_of_line;
    }
    if (*rest_of_line == ' ') {
        *rest_of_line++ = '\0';
    }
    return word;
}

const char *sqm_text_first_word(char *line)
{
    rest_of_line = line;
    return sqm_text_next_word();
}

bool sqm_text_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        ++a;
        ++b;
    }
    return *a == *b;
}

uint32_t sqm_text_length(const char *text)
{
    uint32_t length = 0;
    while (text[length] != '\0') {
        ++length;
    }
    return length;
}

int32_t sqm_text_integer(const char *word)
{
    const bool negative = *word == '-';
    int64_t value = 0;
    for (word += negative || *word == '+' ? 1 : 0; *word >= '0' && *word <= '9'; ++word) {
        value = value * 10 + (*word - '0');
        if (value > INT32_MAX) {
            value = INT32_MAX;
        }
    }
    return (int32_t)(negative ? -value : value);
}

static int32_t hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char small = (char)(digit | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

int32_t sqm_text_hex_byte(const char *digits)
{
    const int32_t high = hex_digit(digits[0]);
    const int32_t low = high < 0 ? -1 : hex_digit(digits[1]);
    return low < 0 ? -1 : 16 * high + low;
}
