/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model behind the serial protocol of the MLPerf Tiny runner, in place of the bench protocol:
 * text commands ended by '%', lines ended by CR LF, and m-ready behind every command.
 * mlperf_config.h says which benchmark the model stands for; sq-micro writes it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "app/text.h"
#include "board_config.h"
#include "mlperf_config.h"
#include "sqm/hal.h"
#include "sqm_binding.h"

#define COMMAND_BYTES   80 /* more characters than these are lost */
#define DEFAULT_WARM_UP 10
#define PULSE_US        62u /* of a timestamp in energy mode; the runner filters what is below 50 */
#define BYTES_A_LINE    8u

static const int8_t code_of_byte[256] = MLPERF_CODES;

/* What `db` fills. It outlives inferences, which use up the input in the arena. */
static struct {
    uint8_t bytes[BOUND_INPUT_BYTES];
    uint32_t wanted;
    uint32_t count;
} input;

/* ---- Time: the cycle counter, extended as often as somebody looks ---- */

static uint64_t now_cycles(void)
{
    static uint64_t total;
    static uint32_t last;
    const uint32_t now = sqm_cycles_now();
    total += now - last; /* wraps as the counter does */
    last = now;
    return total;
}

static uint64_t microseconds(uint64_t cycles)
{
    return SQM_CLOCK_HZ != 0 ? cycles / (SQM_CLOCK_HZ / 1000000u) : 0;
}

static void print_lap(uint64_t cycles)
{
    sqm_text("m-lap-us-");
    sqm_text_unsigned(microseconds(cycles));
    sqm_text("\r\n");
}

/* In energy mode a falling edge tells the time, and nothing is printed. */
static void pulse(void)
{
    sqm_edge_begin();
    const uint64_t end = now_cycles() + (uint64_t)PULSE_US * (SQM_CLOCK_HZ / 1000000u);
    while (sqm_cycles_source() != 0 && now_cycles() < end) {
    }
    sqm_edge_end();
}

static void timestamp(void)
{
    if (MLPERF_ENERGY) {
        pulse();
    } else {
        print_lap(now_cycles());
    }
}

/* ---- Inference ---- */

static void infer_once(void)
{
    int8_t *const to = BOUND_INPUT();
    for (uint32_t i = 0; i < BOUND_INPUT_BYTES; ++i) {
        to[i] = code_of_byte[input.bytes[i]];
    }
    BOUND_INVOKE();
    (void)now_cycles();
}

static void print_results(void)
{
    const int8_t *const output = BOUND_OUTPUT();
    sqm_text("m-results-[");
    for (uint32_t i = 0; i < BOUND_OUTPUT_BYTES; ++i) {
        if (i != 0) {
            sqm_text(",");
        }
        sqm_text_scaled(output[i] - (MLPERF_OUTPUT_ZERO_POINT), MLPERF_OUTPUT_MANTISSA,
                        MLPERF_OUTPUT_SHIFT);
    }
    sqm_text("]\r\n");
}

static void infer(uint32_t iterations, uint32_t warm_up)
{
    sqm_text("m-warmup-start-");
    sqm_text_unsigned(warm_up);
    sqm_text("\r\n");
    for (uint32_t i = 0; i < warm_up; ++i) {
        infer_once();
    }
    sqm_text("m-warmup-done\r\nm-infer-start-");
    sqm_text_unsigned(iterations);
    sqm_text("\r\n");
    sqm_uart_flush();
    if (MLPERF_ENERGY) {
        pulse();
    }
    /* The first lap is printed behind the last inference: a line takes milliseconds. */
    const uint64_t begin = now_cycles();
    for (uint32_t i = 0; i < iterations; ++i) {
        infer_once();
    }
    const uint64_t end = now_cycles();
    if (MLPERF_ENERGY) {
        pulse();
    } else {
        print_lap(begin);
        print_lap(end);
    }
    sqm_text("m-infer-done\r\n");
    print_results();
}

static void infer_command(void)
{
    int32_t iterations = 1;
    int32_t warm_up = DEFAULT_WARM_UP;
    const char *word = sqm_text_next_word();
    if (word != NULL) {
        iterations = sqm_text_integer(word);
        word = sqm_text_next_word();
        if (word != NULL) {
            warm_up = sqm_text_integer(word);
        }
    }
    if (iterations <= 0) {
        sqm_text("e-[infer: at least one inference]\r\n");
    } else if (warm_up < 0) {
        sqm_text("e-[infer: no fewer than 0 to warm up]\r\n");
    } else {
        infer((uint32_t)iterations, (uint32_t)warm_up);
    }
}

/* ---- The buffer ---- */

static void load(const char *count)
{
    const int32_t wanted = count == NULL ? 0 : sqm_text_integer(count);
    if (wanted <= 0) {
        sqm_text("e-[db load: a number of bytes above 0]\r\n");
        return;
    }
    input.count = 0;
    if ((uint32_t)wanted > BOUND_INPUT_BYTES) {
        /* No e-: the reference firmware has none here either. Nothing is taken. */
        input.wanted = 0;
        sqm_text("Supplied buffer size ");
        sqm_text_unsigned((uint32_t)wanted);
        sqm_text(" exceeds maximum of ");
        sqm_text_unsigned(BOUND_INPUT_BYTES);
        sqm_text("\n");
        return;
    }
    input.wanted = (uint32_t)wanted;
    sqm_text("m-[Expecting ");
    sqm_text_unsigned(input.wanted);
    sqm_text(" bytes]\r\n");
}

static void print_buffer(void)
{
    for (uint32_t i = 0; i < input.wanted; ++i) {
        if (i % BYTES_A_LINE == 0) {
            sqm_text("m-buffer-");
        }
        sqm_text_hex(input.bytes[i]);
        sqm_text((i + 1) % BYTES_A_LINE == 0 || i + 1 == input.wanted ? "\r\n" : "-");
    }
}

static void take_bytes(const char *digits)
{
    if (sqm_text_length(digits) % 2 != 0) {
        sqm_text("e-[db: two digits a byte]\r\n");
        return;
    }
    for (; *digits != '\0'; digits += 2) {
        const int32_t byte = sqm_text_hex_byte(digits);
        if (byte < 0) {
            sqm_text("e-[db: no hexadecimal digit]\r\n");
            return;
        }
        if (input.count < input.wanted) {
            input.bytes[input.count++] = (uint8_t)byte;
            if (input.count == input.wanted) {
                sqm_text("m-load-done\r\n");
                return;
            }
        }
    }
}

static void buffer_command(void)
{
    const char *const word = sqm_text_next_word();
    if (word == NULL) {
        sqm_text("e-[db: load N, print, or hexadecimal digits]\r\n");
    } else if (sqm_text_equal(word, "load")) {
        load(sqm_text_next_word());
    } else if (sqm_text_equal(word, "print")) {
        print_buffer();
    } else {
        take_bytes(word);
    }
}

/* ---- Commands ---- */

static void print_profile(void)
{
    sqm_text("m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\n"
             "m-model-[" MLPERF_MODEL "]\r\n");
}

static void print_help(void)
{
    sqm_text("sq-micro: " BOUND_NAME " for the MLPerf Tiny runner\r\n"
             "name, profile, timestamp, help, results\r\n"
             "db load N, db HEX, db print\r\n"
             "infer N [W=10]: N inferences after W to warm up\r\n");
}

static void obey(char *command)
{
    const char *const word = sqm_text_first_word(command);
    if (word == NULL) {
        sqm_text("e-[Unknown command: ]\r\n");
    } else if (sqm_text_equal(word, "name")) {
        sqm_text("m-name-dut-[" SQM_BOARD_NAME "]\r\n");
    } else if (sqm_text_equal(word, "timestamp")) {
        timestamp();
    } else if (sqm_text_equal(word, "profile")) {
        print_profile();
    } else if (sqm_text_equal(word, "help")) {
        print_help();
    } else if (sqm_text_equal(word, "db")) {
        buffer_command();
    } else if (sqm_text_equal(word, "infer")) {
        infer_command();
    } else if (sqm_text_equal(word, "results")) {
        print_results();
    } else {
        sqm_text("e-[Unknown command: ");
        sqm_text(word);
        sqm_text("]\r\n");
    }
    sqm_text("m-ready\r\n");
    sqm_uart_flush();
}

/* @return false at the end of the stream, which comes on a host only. */
static bool receive(char *command)
{
    uint32_t count = 0;
    for (;;) {
        const int32_t byte = sqm_uart_read();
        if (byte < 0) {
            return false;
        }
        if (byte == '%') {
            command[count] = '\0';
            return true;
        }
        if (count < COMMAND_BYTES) {
            command[count++] = (char)byte;
        }
    }
}

int main(void)
{
    static char command[COMMAND_BYTES + 1];
    sqm_soc_start();
    sqm_uart_open();
    sqm_stack_paint();
    sqm_cycles_start();
    sqm_edge_open();
    sqm_text(MLPERF_ENERGY ? "m-timestamp-mode-energy\r\n" : "m-timestamp-mode-performance\r\n");
    timestamp();
    sqm_text("m-init-done\r\nm-ready\r\n");
    sqm_uart_flush();
    while (receive(command)) {
        obey(command);
    }
    return 0;
}
