/* SPDX-License-Identifier: Apache-2.0 */
/* Arm MPS2 and MPS3: the FPGA image fixes clocks and pins, and nothing is left to set. */
#include "sqm/hal.h"

void sqm_soc_start(void)
{
}
