/* SPDX-License-Identifier: Apache-2.0 */
/* GPIO ports for hal/edge_stm32_gpio.c: stm32u575xx.h of ST's cmsis_device_u5. */
#ifndef SQM_PINS_H
#define SQM_PINS_H

#define SQM_PINS_BASE  0x42020000u /* GPIOA; 0x400 from one port to the next */
#define SQM_PINS_CLOCK 0x46020C8Cu /* RCC_AHB2ENR1: bit 0 is GPIOA's, and so on */

#endif
