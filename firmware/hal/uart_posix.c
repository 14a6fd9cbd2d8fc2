/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UART of a firmware that runs as a process: standard input and output. Both are buffered here,
 * since a system call for each byte would take longer than the model.
 */
#include <stdint.h>
#include <unistd.h>

#include "sqm/hal.h"

static struct {
    uint8_t bytes[4096];
    int32_t count;
    int32_t next;
} incoming, outgoing;

void sqm_uart_open(void)
{
}

int32_t sqm_uart_read(void)
{
    if (incoming.next == incoming.count) {
        incoming.next = 0;
        incoming.count = (int32_t)read(STDIN_FILENO, incoming.bytes, sizeof incoming.bytes);
        if (incoming.count <= 0) {
            incoming.count = 0;
            return -1;
        }
    }
    return incoming.bytes[incoming.next++];
}

void sqm_uart_write(uint8_t byte)
{
    if (outgoing.count == (int32_t)sizeof outgoing.bytes) {
        sqm_uart_flush();
    }
    outgoing.bytes[outgoing.count++] = byte;
}

void sqm_uart_flush(void)
{
    while (outgoing.next < outgoing.count) {
        const int32_t left = outgoing.count - outgoing.next;
        const int32_t sent =
            (int32_t)write(STDOUT_FILENO, outgoing.bytes + outgoing.next, (size_t)left);
        if (sent <= 0) {
            _exit(1); /* nobody listens any more */
        }
        outgoing.next += sent;
    }
    outgoing.next = 0;
    outgoing.count = 0;
}
