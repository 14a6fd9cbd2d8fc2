/* SPDX-License-Identifier: Apache-2.0 */
/* The first-level caches that a Cortex-M7 may have. */
#ifndef SQM_SOC_CORTEX_M_CACHES_H
#define SQM_SOC_CORTEX_M_CACHES_H

/** Invalidate and switch on both caches. Before anything is written that must not be lost. */
void sqm_caches_enable(void);

#endif
