/* SPDX-License-Identifier: Apache-2.0 */
/* GPIO ports for hal/edge_stm32_gpio.c: stm32h753xx.h of ST's cmsis_device_h7. */
#ifndef SQM_PINS_H
#define SQM_PINS_H

#define SQM_PINS_BASE  0x58020000u /* GPIOA; 0x400 from one port to the next */
#define SQM_PINS_CLOCK 0x580244E0u /* RCC_AHB4ENR: bit 0 is GPIOA's, and so on */

#endif
