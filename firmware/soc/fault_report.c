/* SPDX-License-Identifier: Apache-2.0 */
#include "soc/fault_report.h"

#include "protocol/bytes.h"
#include "protocol/frame.h"
#include "sqm/hal.h"
#include "sqm/status.h"

#define MOST_BODY_BYTES (SQM_FAULT_MOST_WORDS * 4)
#define PAYLOAD_BYTES   (SQM_FRAME_HEAD_BYTES + MOST_BODY_BYTES + SQM_FRAME_CRC_BYTES)
#define WIRE_BYTES      (SQM_COBS_MAX(PAYLOAD_BYTES) + 1)

_Noreturn void sqm_fault_send(const uint32_t *words, uint32_t count)
{
    uint8_t payload[PAYLOAD_BYTES];
    uint8_t wire[WIRE_BYTES];
    for (;;) {
        uint8_t *end = sqm_put_u8(payload, 0);
        end = sqm_put_u8(end, SQM_MESSAGE_FAULT);
        for (uint32_t i = 0; i < count; ++i) {
            end = sqm_put_u32(end, words[i]);
        }
        const uint32_t wire_bytes = sqm_frame_encode(payload, 4 * count, wire);
        sqm_uart_write(0); /* ends whatever was being sent */
        for (uint32_t i = 0; i < wire_bytes; ++i) {
            sqm_uart_write(wire[i]);
        }
        sqm_uart_flush();
        /* A host that missed it asks again and gets it again; so does one that connects later. */
        while (sqm_uart_read() != 0) {
        }
    }
}
