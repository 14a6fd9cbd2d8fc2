/* SPDX-License-Identifier: Apache-2.0 */
/* No pin follows the timed region. */
#include "sqm/hal.h"

void sqm_edge_open(void)
{
}

void sqm_edge_begin(void)
{
}

void sqm_edge_end(void)
{
}
