/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/server.h"

#include <stdint.h>

#include "board_config.h"
#include "protocol/bytes.h"
#include "protocol/frame.h"
#include "protocol/runs.h"
#include "sqm/hal.h"
#include "sqm/inputs.h"
#include "sqm/status.h"
#include "sqm_binding.h"

#define HASH_BYTES        32
#define STATUS_BYTES      1
#define HELLO_FIXED_BYTES (STATUS_BYTES + 2 + 1 + 2 + 2 + 4 * 4 + HASH_BYTES)
#define MOST_ROUNDS       4000000u /* of SPIN: a slow core is back within seconds */
#define ANSWER_BYTES      (SQM_FRAME_BODY_BYTES - STATUS_BYTES) /* what fits behind a status */

_Static_assert(BOUND_OPERATORS > 0 && BOUND_OPERATORS <= 0xFFFF, "HELLO has 16 bits");
_Static_assert(HELLO_FIXED_BYTES + sizeof(SQM_BOARD_NAME) + sizeof(SQM_ISA_NAME) +
                       sizeof(BOUND_NAME) <=
                   SQM_FRAME_BODY_BYTES,
               "the names of board, ISA and model do not fit into HELLO: shorten the longest");

static const uint8_t model_hash[HASH_BYTES] = BOUND_HASH;

/* The request is decoded in `wire`, its answer is built in `payload` and then encoded over it. */
static uint8_t wire[SQM_FRAME_WIRE_BYTES];
static uint8_t payload[SQM_FRAME_PAYLOAD_BYTES];

/* The last run, so that an INVOKE that comes twice is answered twice and run once. */
static struct {
    bool valid;
    uint32_t number;
    sqm_status status;
    sqm_run run;
} last;

/* Body of a request; the answer behind the status grows at `end`. */
typedef struct {
    const uint8_t *body;
    uint32_t bytes;
    uint8_t *end;
} exchange;

/* ---- Small parts ---- */

static void put_name(exchange *x, const char *name)
{
    do {
        x->end = sqm_put_u8(x->end, (uint8_t)*name);
    } while (*name++ != '\0');
}

static bool within(uint32_t offset, uint32_t count, uint32_t size)
{
    return offset <= size && count <= size - offset;
}

/* ---- One function a message ---- */

static sqm_status hello(exchange *x)
{
    if (x->bytes != 0) {
        return SQM_BAD_LENGTH;
    }
    last.valid = false; /* a new conversation counts its runs anew */
    x->end = sqm_put_u16(x->end, SQM_PROTOCOL_VERSION);
    x->end = sqm_put_u8(x->end, sqm_cycles_source());
    x->end = sqm_put_u16(x->end, BOUND_OPERATORS);
    x->end = sqm_put_u16(x->end, (uint16_t)sqm_inputs_count());
    x->end = sqm_put_u32(x->end, SQM_CLOCK_HZ);
    x->end = sqm_put_u32(x->end, BOUND_INPUT_BYTES);
    x->end = sqm_put_u32(x->end, BOUND_OUTPUT_BYTES);
    x->end = sqm_put_u32(x->end, sqm_run_arena_bytes);
    for (int32_t i = 0; i < HASH_BYTES; ++i) {
        x->end = sqm_put_u8(x->end, model_hash[i]);
    }
    put_name(x, SQM_BOARD_NAME);
    put_name(x, SQM_ISA_NAME);
    put_name(x, BOUND_NAME);
    return SQM_OK;
}

static sqm_status write_input(const exchange *x)
{
    if (x->bytes < 4) {
        return SQM_BAD_LENGTH;
    }
    const uint32_t offset = sqm_get_u32(x->body);
    const uint32_t count = x->bytes - 4;
    if (!within(offset, count, BOUND_INPUT_BYTES)) {
        return SQM_OUT_OF_RANGE;
    }
    sqm_run_input_written(offset);
    int8_t *input = BOUND_INPUT();
    for (uint32_t i = 0; i < count; ++i) {
        input[offset + i] = (int8_t)x->body[4 + i];
    }
    return SQM_OK;
}

static sqm_status take_input(const exchange *x)
{
    if (x->bytes != 2) {
        return SQM_BAD_LENGTH;
    }
    const uint32_t index = sqm_get_u16(x->body);
    if (index >= sqm_inputs_count()) {
        return SQM_OUT_OF_RANGE;
    }
    sqm_run_input_written(0);
    const int8_t *from = sqm_inputs_at(index);
    int8_t *input = BOUND_INPUT();
    for (uint32_t i = 0; i < BOUND_INPUT_BYTES; ++i) {
        input[i] = from[i];
    }
    return SQM_OK;
}

static sqm_status invoke(exchange *x)
{
    if (x->bytes != 5) {
        return SQM_BAD_LENGTH;
    }
    const uint32_t number = sqm_get_u32(x->body);
    if (!last.valid || last.number != number) {
        last.run = sqm_run_model(x->body[4] != 0);
        const bool counts = sqm_cycles_source() != 0;
        last.status = counts && last.run.cycles == 0 ? SQM_COUNTER_DEAD : SQM_OK;
        if (!counts) {
            last.run.cycles = 0;
        }
        last.number = number;
        last.valid = true;
    }
    x->end = sqm_put_u32(x->end, number);
    x->end = sqm_put_u32(x->end, (uint32_t)(last.run.cycles & 0xFFFFFFFFu));
    x->end = sqm_put_u32(x->end, (uint32_t)(last.run.cycles >> 32));
    x->end = sqm_put_u32(x->end, last.run.input_crc);
    x->end = sqm_put_u32(x->end, last.run.output_crc);
    return last.status;
}

/* The bytes of a span of memory that offset and length of the body choose. */
static sqm_status read_span(exchange *x, const int8_t *memory, uint32_t size)
{
    if (x->bytes != 5) {
        return SQM_BAD_LENGTH;
    }
    const uint32_t offset = sqm_get_u32(x->body);
    const uint32_t count = x->body[4];
    if (count > ANSWER_BYTES || !within(offset, count, size)) {
        return SQM_OUT_OF_RANGE;
    }
    for (uint32_t i = 0; i < count; ++i) {
        x->end = sqm_put_u8(x->end, (uint8_t)memory[offset + i]);
    }
    return SQM_OK;
}

#ifdef BOUND_ARENA_AT
/* Of an arena in several memories: the host asks for what lies in one of them. */
static sqm_status read_arena(exchange *x)
{
    if (x->bytes != 5) {
        return SQM_BAD_LENGTH;
    }
    const uint32_t offset = sqm_get_u32(x->body);
    const uint32_t count = x->body[4];
    if (count > ANSWER_BYTES || !within(offset, count, sqm_run_arena_bytes)) {
        return SQM_OUT_OF_RANGE;
    }
    for (uint32_t i = 0; i < count; ++i) {
        x->end = sqm_put_u8(x->end, (uint8_t)*BOUND_ARENA_AT((int32_t)(offset + i)));
    }
    return SQM_OK;
}
#else
static sqm_status read_arena(exchange *x)
{
    return read_span(x, BOUND_ARENA(), sqm_run_arena_bytes);
}
#endif

static sqm_status read_profile(exchange *x)
{
    if (x->bytes != 3) {
        return SQM_BAD_LENGTH;
    }
    const uint32_t first = sqm_get_u16(x->body);
    const uint32_t count = x->body[2];
    if (count > ANSWER_BYTES / 4 || !within(first, count, BOUND_OPERATORS)) {
        return SQM_OUT_OF_RANGE;
    }
    for (uint32_t i = 0; i < count; ++i) {
        x->end = sqm_put_u32(x->end, sqm_run_cycles_of(first + i));
    }
    return SQM_OK;
}

static sqm_status read_stack(exchange *x)
{
    if (x->bytes != 0) {
        return SQM_BAD_LENGTH;
    }
    x->end = sqm_put_u32(x->end, sqm_stack_used_bytes());
    x->end = sqm_put_u32(x->end, sqm_stack_reserved_bytes());
    return SQM_OK;
}

static sqm_status spin(exchange *x)
{
    if (x->bytes != 4) {
        return SQM_BAD_LENGTH;
    }
    const uint32_t rounds = sqm_get_u32(x->body);
    if (rounds > MOST_ROUNDS) {
        return SQM_OUT_OF_RANGE;
    }
    x->end = sqm_put_u32(x->end, sqm_run_spin(rounds));
    return SQM_OK;
}

static sqm_status step(const exchange *x)
{
    if (x->bytes != 2) {
        return SQM_BAD_LENGTH;
    }
    const uint32_t index = sqm_get_u16(x->body);
    if (index >= BOUND_OPERATORS) {
        return SQM_OUT_OF_RANGE;
    }
    return sqm_run_step(index) ? SQM_OK : SQM_OUT_OF_ORDER;
}

static sqm_status dispatch(uint8_t id, exchange *x)
{
    switch (id) {
    case SQM_MESSAGE_HELLO:
        return hello(x);
    case SQM_MESSAGE_WRITE_INPUT:
        return write_input(x);
    case SQM_MESSAGE_INVOKE:
        return invoke(x);
    case SQM_MESSAGE_READ_OUTPUT:
        return read_span(x, BOUND_OUTPUT(), BOUND_OUTPUT_BYTES);
    case SQM_MESSAGE_READ_PROFILE:
        return read_profile(x);
    case SQM_MESSAGE_READ_STACK:
        return read_stack(x);
    case SQM_MESSAGE_SPIN:
        return spin(x);
    case SQM_MESSAGE_STEP:
        return step(x);
    case SQM_MESSAGE_READ_ARENA:
        return read_arena(x);
    case SQM_MESSAGE_TAKE_INPUT:
        return take_input(x);
    default:
        return SQM_UNKNOWN_MESSAGE;
    }
}

/* ---- Bytes in, bytes out ---- */

/* @return bytes of a frame without its zero; 0 for an empty or too long one; -1 at the end. */
static int32_t receive(void)
{
    uint32_t count = 0;
    for (;;) {
        const int32_t byte = sqm_uart_read();
        if (byte < 0) {
            return -1;
        }
        if (byte == 0) {
            return count < SQM_FRAME_WIRE_BYTES ? (int32_t)count : 0;
        }
        if (count < SQM_FRAME_WIRE_BYTES) {
            wire[count++] = (uint8_t)byte;
        }
    }
}

bool sqm_server_poll(void)
{
    const int32_t received = receive();
    if (received < 0) {
        return false;
    }
    const int32_t body_bytes = sqm_frame_decode(wire, (uint32_t)received);
    if (body_bytes < 0) {
        return true;
    }
    uint8_t *const status_at = payload + SQM_FRAME_HEAD_BYTES;
    exchange x = {
        .body = wire + SQM_FRAME_HEAD_BYTES,
        .bytes = (uint32_t)body_bytes,
        .end = status_at + STATUS_BYTES,
    };
    payload[0] = wire[0];
    payload[1] = wire[1] | SQM_REPLY_BIT;
    const sqm_status status = dispatch(wire[1], &x);
    *status_at = (uint8_t)status;
    const uint32_t answer_bytes = status == SQM_OK ? (uint32_t)(x.end - status_at) : STATUS_BYTES;
    const uint32_t wire_bytes = sqm_frame_encode(payload, answer_bytes, wire);
    for (uint32_t i = 0; i < wire_bytes; ++i) {
        sqm_uart_write(wire[i]);
    }
    sqm_uart_flush();
    return true;
}
