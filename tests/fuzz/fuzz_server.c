/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer's bytes, in two ways: as they are, which hardly ever makes a frame, and sealed into
 * frames, which takes them past the CRC to the messages. The first byte chooses.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "protocol/frame.h"
#include "protocol/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Messages of a length byte, then id and body each. Returns the bytes for the wire. */
static size_t seal(const uint8_t *data, size_t size, uint8_t *wire)
{
    size_t used = 0;
    uint8_t sequence = 0;
    while (size > 1) {
        uint8_t payload[SQM_FRAME_PAYLOAD_BYTES] = {sequence++};
        size_t count = data[0] < size - 1 ? data[0] : size - 1;
        if (count == 0) {
            count = 1;
        }
        if (count > SQM_FRAME_BODY_BYTES + 1) {
            count = SQM_FRAME_BODY_BYTES + 1;
        }
        memcpy(payload + 1, data + 1, count);
        if (payload[1] == 7) { /* SPIN */
            payload[4] = payload[5] = 0;
        }
        used += sqm_frame_encode(payload, (uint32_t)count - 1, wire + used);
        data += 1 + count;
        size -= 1 + count;
    }
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    uint8_t *wire = NULL;
    if (data[0] % 2 == 0) {
        machine_start(data + 1, size - 1);
    } else {
        /* A frame is at most 8 bytes longer than the two bytes of id and length that it takes. */
        wire = malloc(size * 8 + SQM_FRAME_WIRE_BYTES);
        machine_start(wire, seal(data + 1, size - 1, wire));
    }
    while (sqm_server_poll()) {
    }
    free(wire);
    return 0;
}
