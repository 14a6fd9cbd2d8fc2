/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run that went wrong, whatever the core. */
#ifndef SQM_SOC_FAULT_REPORT_H
#define SQM_SOC_FAULT_REPORT_H

#include <stdint.h>

#define SQM_FAULT_MOST_WORDS 5

/**
 * Send a FAULT frame of `count` words over the UART, once now and once for every zero byte
 * received, for ever. protocol/PROTOCOL.md says which words a core sends.
 */
_Noreturn void sqm_fault_send(const uint32_t *words, uint32_t count);

#endif
