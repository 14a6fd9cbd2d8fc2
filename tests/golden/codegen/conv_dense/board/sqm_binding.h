/* conv dense, bound to the bench firmware. SPDX-License-Identifier: Apache-2.0 */
#ifndef SQM_BINDING_H
#define SQM_BINDING_H

#include "sqm_conv_dense.h"

#define BOUND_NAME                    "conv_dense"
#define BOUND_HASH                    { 0x0a, 0xd7, 0xa0, 0x11, 0x8a, 0xe5, 0x89, 0xf1, 0x94, 0xbf, 0x01, 0x71, 0x7d, 0x34, 0xd3, 0xff, 0x93, 0xa4, 0x9a, 0xd0, 0x90, 0x2d, 0x19, 0x40, 0xd2, 0x8f, 0x5a, 0x30, 0x5f, 0xf7, 0xf7, 0xe5 }
#define BOUND_INPUT_BYTES             SQM_CONV_DENSE_INPUT_BYTES
#define BOUND_OUTPUT_BYTES            SQM_CONV_DENSE_OUTPUT_BYTES
#define BOUND_ARENA_BYTES             SQM_CONV_DENSE_ARENA_BYTES
#define BOUND_OPERATORS               SQM_CONV_DENSE_OPERATORS
#define BOUND_INPUT()                 sqm_conv_dense_input()
#define BOUND_OUTPUT()                sqm_conv_dense_output()
#define BOUND_ARENA()                 sqm_conv_dense_arena_at(0)
#define BOUND_INVOKE()                sqm_conv_dense_invoke()
#define BOUND_INVOKE_OPERATOR(index)  sqm_conv_dense_invoke_operator(index)

#endif
