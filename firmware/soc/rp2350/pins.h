/* SPDX-License-Identifier: Apache-2.0 */
/* GPIO for hal/edge_rp2_gpio.c: hardware/regs/sio.h, io_bank0.h and pads_bank0.h of pico-sdk 2.2.0,
 * RP2350. */
#ifndef SQM_PINS_H
#define SQM_PINS_H

#define SQM_PINS_OUT_SET   (0xD0000000u + 0x18u) /* SIO */
#define SQM_PINS_OUT_CLEAR (0xD0000000u + 0x20u)
#define SQM_PINS_OE_SET    (0xD0000000u + 0x38u)
#define SQM_PINS_CONTROL   0x40028004u /* IO_BANK0: GPIO0_CTRL; 8 from one pin to the next */
#define SQM_PINS_PADS      0x40038004u /* PADS_BANK0: GPIO0; 4 from one pin to the next */
#define SQM_PINS_ISOLATION (1u << 8)   /* pads are cut off after a reset */

#endif
