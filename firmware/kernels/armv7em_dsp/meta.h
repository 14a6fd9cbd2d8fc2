/*
 * What cores with Arm's DSP instructions have of their own (Cortex-M4, M7, M33). What this folder
 * does not replace is portable C.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_ARMV7EM_DSP_META_H
#define SQM_ARMV7EM_DSP_META_H

#include "kernels/armv7em_dsp/gemm_w8.h"
#include "kernels/armv7em_dsp/gemm_w4.h"
#include "kernels/armv7em_dsp/gemm_w2.h"
#include "kernels/armv7em_dsp/gemv.h"
#include "kernels/armv7em_dsp/gemv_planes.h"
#include "kernels/armv7em_dsp/taps.h"
#include "kernels/armv7em_dsp/unpack.h"
#include "kernels/portable_c/meta.h"

#endif
