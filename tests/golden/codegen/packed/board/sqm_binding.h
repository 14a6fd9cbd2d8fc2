/* packed, bound to the bench firmware. SPDX-License-Identifier: Apache-2.0 */
#ifndef SQM_BINDING_H
#define SQM_BINDING_H

#include "sqm_packed.h"

#define BOUND_NAME                    "packed"
#define BOUND_HASH                    { 0x14, 0x16, 0xec, 0x16, 0x50, 0x4b, 0xe3, 0xa7, 0xe2, 0xac, 0x62, 0x17, 0x17, 0x65, 0x7e, 0x6f, 0xc7, 0x0a, 0xbb, 0xb6, 0x64, 0xa3, 0x6a, 0x84, 0x52, 0x6b, 0xb2, 0x63, 0xaf, 0x4f, 0x1a, 0x6d }
#define BOUND_INPUT_BYTES             SQM_PACKED_INPUT_BYTES
#define BOUND_OUTPUT_BYTES            SQM_PACKED_OUTPUT_BYTES
#define BOUND_ARENA_BYTES             SQM_PACKED_ARENA_BYTES
#define BOUND_OPERATORS               SQM_PACKED_OPERATORS
#define BOUND_INPUT()                 sqm_packed_input()
#define BOUND_OUTPUT()                sqm_packed_output()
#define BOUND_ARENA()                 sqm_packed_arena_at(0)
#define BOUND_INVOKE()                sqm_packed_invoke()
#define BOUND_INVOKE_OPERATOR(index)  sqm_packed_invoke_operator(index)

#endif
