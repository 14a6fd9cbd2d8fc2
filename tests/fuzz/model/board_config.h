/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SQM_BOARD_CONFIG_H
#define SQM_BOARD_CONFIG_H

#define SQM_BOARD_NAME "fuzzer"
#define SQM_ISA_NAME   "host"
#define SQM_CLOCK_HZ   1000000u

#endif
