/* ST NUCLEO-L4R5ZI. SPDX-License-Identifier: Apache-2.0 */
#ifndef SQM_BOARD_CONFIG_H
#define SQM_BOARD_CONFIG_H

#define SQM_BOARD_NAME    "nucleo_l4r5zi"
#define SQM_ISA_NAME      "armv7em_dsp"
#define SQM_CLOCK_HZ      120000000u /* 0: not known */
#define SQM_UART_BASE     0x40008000u
#define SQM_UART_BAUD     921600u
#define SQM_UART_CLOCK_HZ 120000000u
#define SQM_HAS_FPU       1

#endif
