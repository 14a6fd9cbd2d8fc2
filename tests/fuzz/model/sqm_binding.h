/* SPDX-License-Identifier: Apache-2.0 */
/* A model small enough that the fuzzer spends its time in the protocol. */
#ifndef SQM_BINDING_H
#define SQM_BINDING_H

#include <stdint.h>

#define BOUND_NAME         "fuzzed"
#define BOUND_HASH         {0}
#define BOUND_INPUT_BYTES  300 /* two frames */
#define BOUND_OUTPUT_BYTES 300
#define BOUND_ARENA_BYTES  700
#define BOUND_OPERATORS    3

extern int8_t *fuzzed_arena; /* on the heap, so that a byte too far is noticed */
void fuzzed_invoke_operator(int32_t index);

#define BOUND_ARENA()                fuzzed_arena
#define BOUND_INPUT()                (fuzzed_arena + 100)
#define BOUND_OUTPUT()               (fuzzed_arena + 400)
#define BOUND_INVOKE_OPERATOR(index) fuzzed_invoke_operator(index)
#define BOUND_INVOKE()               (fuzzed_invoke_operator(0), fuzzed_invoke_operator(2))

#endif
