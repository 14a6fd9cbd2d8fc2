/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind every exception of the vector table. */
#ifndef SQM_SOC_CORTEX_M_FAULT_H
#define SQM_SOC_CORTEX_M_FAULT_H

/** Report a FAULT frame over the UART, once now and once for every zero byte received, for ever. */
void sqm_fault(void);

#endif
