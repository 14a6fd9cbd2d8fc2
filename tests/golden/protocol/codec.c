/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware's codec as a filter, for the tests. A line in is a letter and hexadecimal digits:
 * `e` head and body to encode, `d` a frame without its zero to decode, `c` bytes for COBS alone.
 * A line out is hexadecimal, or `damaged`.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/cobs.h"
#include "protocol/frame.h"

static uint32_t parse(const char *digits, uint8_t *bytes)
{
    uint32_t count = 0;
    unsigned byte;
    for (; sscanf(digits, "%2x", &byte) == 1; digits += 2) {
        bytes[count++] = (uint8_t)byte;
    }
    return count;
}

static void print(const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        printf("%02x", bytes[i]);
    }
    putchar('\n');
    fflush(stdout);
}

int main(void)
{
    static char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        /* On the heap and of the exact size, so that the sanitizer sees a byte too far. */
        const size_t most = strlen(line);
        uint8_t *in = malloc(most / 2 + SQM_FRAME_CRC_BYTES + 1);
        uint8_t *out = malloc(SQM_COBS_MAX(most / 2 + SQM_FRAME_CRC_BYTES) + 1);
        const uint32_t count = parse(line + 1, in);
        if (line[0] == 'e') {
            print(out, sqm_frame_encode(in, count - SQM_FRAME_HEAD_BYTES, out));
        } else if (line[0] == 'c') {
            print(out, sqm_cobs_encode(in, count, out));
        } else {
            uint8_t *exact = malloc(count + 1);
            memcpy(exact, in, count);
            const int32_t body_bytes = sqm_frame_decode(exact, count);
            if (body_bytes < 0) {
                puts("damaged");
                fflush(stdout);
            } else {
                print(exact, SQM_FRAME_HEAD_BYTES + (uint32_t)body_bytes);
            }
            free(exact);
        }
        free(in);
        free(out);
    }
    return 0;
}
