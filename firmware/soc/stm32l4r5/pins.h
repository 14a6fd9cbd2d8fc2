/* SPDX-License-Identifier: Apache-2.0 */
/* GPIO ports for hal/edge_stm32_gpio.c: stm32l4r5xx.h of ST's cmsis_device_l4. */
#ifndef SQM_PINS_H
#define SQM_PINS_H

#define SQM_PINS_BASE  0x48000000u /* GPIOA; 0x400 from one port to the next */
#define SQM_PINS_CLOCK 0x4002104Cu /* RCC_AHB2ENR: bit 0 is GPIOA's, and so on */

#endif
