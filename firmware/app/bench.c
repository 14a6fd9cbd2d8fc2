/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench firmware: one model behind the wire protocol. The same file on a host, in simulators
 * and on silicon; there is no simulator mode.
 */
#include "protocol/server.h"
#include "sqm/hal.h"

int main(void)
{
    sqm_soc_start();
    sqm_uart_open(); /* first, so that a fault in what follows can be reported */
    sqm_stack_paint();
    sqm_cycles_start();
    sqm_edge_open();
    while (sqm_server_poll()) {
    }
    return 0;
}
