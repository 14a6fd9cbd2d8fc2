/*
 * Codes to another scale on cores with DSP instructions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_RESCALE_H
#define SQM_ARMV7EM_DSP_RESCALE_H

#include <stdint.h>

#include "kernels/armv7em_dsp/arithmetic.h"
#include "kernels/operators/rescale.h"
#include "kernels/requantize.h"
#include "sqm/compiler.h"

typedef sqm_rescale_params sqm_rescale__armv7em_dsp_params;

SQM_INLINE int8_t sqm_rescale_code(const sqm_rescale_params *p, int32_t centred)
{
    const int32_t code =
        sqm_scale_down(centred, sqm_down_scale_of(p->multiplier, p->shift), p->output_offset);
    return sqm_clamp_code(code, p->output_minimum, p->output_maximum);
}

/** As sqm_rescale; shift is at most -1. */
SQM_INLINE void sqm_rescale__armv7em_dsp(const sqm_rescale_params *p, const int8_t *input,
                                         int8_t *output)
{
    const int32_t offset = p->input_offset;

    for (int32_t n = p->elements / 4; n > 0; --n) {
        const uint32_t codes = sqm_load_u32((const uint8_t *)input);
        output[0] = sqm_rescale_code(p, SQM_SXTAB(offset, codes, 0));
        output[1] = sqm_rescale_code(p, SQM_SXTAB(offset, codes, 1));
        output[2] = sqm_rescale_code(p, SQM_SXTAB(offset, codes, 2));
        output[3] = sqm_rescale_code(p, SQM_SXTAB(offset, codes, 3));
        input += 4;
        output += 4;
    }
    for (int32_t i = 0; i < p->elements % 4; ++i) {
        output[i] = sqm_rescale_code(p, input[i] + offset);
    }
}

#endif
