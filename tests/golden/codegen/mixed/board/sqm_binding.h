/* mixed/widths v2, bound to the bench firmware. SPDX-License-Identifier: Apache-2.0 */
#ifndef SQM_BINDING_H
#define SQM_BINDING_H

#include "sqm_mixed_widths_v2.h"

#define BOUND_NAME                    "mixed_widths_v2"
#define BOUND_HASH                    { 0xd6, 0x41, 0x7b, 0x86, 0x2c, 0x4f, 0xed, 0x72, 0xcf, 0xeb, 0x41, 0x73, 0x9b, 0xd9, 0xdc, 0xdf, 0x2c, 0xee, 0x8c, 0x0f, 0xb1, 0xb0, 0xf1, 0xd5, 0xcc, 0x2d, 0xbb, 0x51, 0xae, 0x98, 0x79, 0xc7 }
#define BOUND_INPUT_BYTES             SQM_MIXED_WIDTHS_V2_INPUT_BYTES
#define BOUND_OUTPUT_BYTES            SQM_MIXED_WIDTHS_V2_OUTPUT_BYTES
#define BOUND_ARENA_BYTES             SQM_MIXED_WIDTHS_V2_ARENA_BYTES
#define BOUND_OPERATORS               SQM_MIXED_WIDTHS_V2_OPERATORS
#define BOUND_INPUT()                 sqm_mixed_widths_v2_input()
#define BOUND_OUTPUT()                sqm_mixed_widths_v2_output()
#define BOUND_ARENA()                 sqm_mixed_widths_v2_arena_at(0)
#define BOUND_INVOKE()                sqm_mixed_widths_v2_invoke()
#define BOUND_INVOKE_OPERATOR(index)  sqm_mixed_widths_v2_invoke_operator(index)

#endif
