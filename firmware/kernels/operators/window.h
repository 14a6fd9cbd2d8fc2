/*
 * A window that slides along one axis of an image, and the part of it that lies inside.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_OPERATORS_WINDOW_H
#define SQM_OPERATORS_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "sqm/compiler.h"

/** One axis of a windowed operator, in elements of that axis. `pad` is before the image. */
typedef struct {
    int32_t input;
    int32_t output;
    int32_t window;
    int32_t stride;
    int32_t dilation;
    int32_t pad;
} sqm_axis;

/** Taps first, first + 1, ... last - 1 of a window; none iff last <= first. */
typedef struct {
    int32_t first;
    int32_t last;
} sqm_taps;

/** Position in the image of tap 0 of the window of output `index`; negative in the padding. */
SQM_INLINE int32_t sqm_axis_origin(sqm_axis axis, int32_t index)
{
    return index * axis.stride - axis.pad;
}

/** True iff no window leaves the image; with constant arguments the clipping then folds away. */
SQM_INLINE bool sqm_axis_inside(sqm_axis axis)
{
    return axis.pad == 0 &&
           (axis.output - 1) * axis.stride + (axis.window - 1) * axis.dilation < axis.input;
}

/** The taps that lie inside the image, for a window whose tap 0 is at `origin`. */
SQM_INLINE sqm_taps sqm_axis_taps(sqm_axis axis, int32_t origin)
{
    sqm_taps taps = {0, axis.window};
    if (!sqm_axis_inside(axis)) {
        const int32_t last = (axis.input - origin + axis.dilation - 1) / axis.dilation;
        if (origin < 0) {
            taps.first = (axis.dilation - 1 - origin) / axis.dilation;
        }
        if (last < taps.last) {
            taps.last = last;
        }
    }
    return taps;
}

#endif
