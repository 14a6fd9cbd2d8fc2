/* SPDX-License-Identifier: Apache-2.0 */
/* Arm DAI 0386: the FPGA image fixes clocks and pins, and nothing is left to set. */
#include "sqm/hal.h"

void sqm_soc_start(void)
{
}
