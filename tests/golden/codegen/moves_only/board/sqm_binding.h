/* moves_only, bound to the bench firmware. SPDX-License-Identifier: Apache-2.0 */
#ifndef SQM_BINDING_H
#define SQM_BINDING_H

#include "sqm_moves_only.h"

#define BOUND_NAME                    "moves_only"
#define BOUND_HASH                    { 0x79, 0xab, 0x86, 0x51, 0x7a, 0x88, 0xa1, 0xa6, 0x38, 0x23, 0xe0, 0x61, 0xc7, 0xbc, 0x31, 0x5d, 0x80, 0x8a, 0x30, 0x79, 0x7c, 0xf9, 0x36, 0xb0, 0xfe, 0x10, 0x24, 0xaf, 0x1a, 0x64, 0xf8, 0x27 }
#define BOUND_INPUT_BYTES             SQM_MOVES_ONLY_INPUT_BYTES
#define BOUND_OUTPUT_BYTES            SQM_MOVES_ONLY_OUTPUT_BYTES
#define BOUND_ARENA_BYTES             SQM_MOVES_ONLY_ARENA_BYTES
#define BOUND_OPERATORS               SQM_MOVES_ONLY_OPERATORS
#define BOUND_INPUT()                 sqm_moves_only_input()
#define BOUND_OUTPUT()                sqm_moves_only_output()
#define BOUND_ARENA()                 sqm_moves_only_arena_at(0)
#define BOUND_INVOKE()                sqm_moves_only_invoke()
#define BOUND_INVOKE_OPERATOR(index)  sqm_moves_only_invoke_operator(index)

#endif
