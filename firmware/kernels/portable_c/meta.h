/*
 * What this folder provides: every microkernel of kernels.def, in C that any 32-bit core runs. An
 * ISA's folder has a header of this name too; what it does not replace comes from here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_PORTABLE_C_META_H
#define SQM_PORTABLE_C_META_H

#include "kernels/portable_c/w8.h"
#include "kernels/portable_c/w6.h"
#include "kernels/portable_c/w5.h"
#include "kernels/portable_c/w4.h"
#include "kernels/portable_c/w3.h"
#include "kernels/portable_c/w2.h"
#include "kernels/portable_c/pairs.h"

#endif
