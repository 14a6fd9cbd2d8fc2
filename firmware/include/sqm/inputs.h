/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs that an image carries, so that a run over a slow line need not send them. Implemented by
 * app/inputs_none.c, or by the file that `sq-micro build --bake` writes.
 */
#ifndef SQM_INPUTS_H
#define SQM_INPUTS_H

#include <stdint.h>

uint32_t sqm_inputs_count(void);

/** Input `index` of the model, 0 <= index < sqm_inputs_count(). */
const int8_t *sqm_inputs_at(uint32_t index);

#endif
