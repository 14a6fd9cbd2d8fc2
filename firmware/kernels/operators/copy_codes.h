/*
 * Codes from one tensor to another.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_COPY_CODES_H
#define SQM_OPERATORS_COPY_CODES_H

#include <stdint.h>

#include "sqm/compiler.h"

/** `count` codes; upwards, and never by a library's memcpy or memmove. */
SQM_INLINE void sqm_copy_codes(const int8_t *from, int32_t count, int8_t *to)
{
    for (int32_t i = 0; i < count; ++i) {
        int32_t code = from[i];
        SQM_OPAQUE(code);
        to[i] = (int8_t)code;
    }
}

#endif
