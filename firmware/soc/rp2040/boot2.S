@ SPDX-License-Identifier: Apache-2.0
@
@ Second stage of the RP2040's boot (RP2040 Datasheet, "Flash Second Stage"): the ROM copies the first 256 bytes of
@ flash to SRAM and runs them there, if their last word is the CRC of the others. They set up the flash
@ for reading in place, serially by command 03h, which every chip understands, and enter the firmware
@ through its vector table, which follows them. Registers of the SSI: hardware/regs/ssi.h of
@ pico-sdk 2.2.0.
@
@ boot2.c holds what this file assembles to, so that no build has to compute the CRC; a test compares.
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .equ SSI_CTRLR0, 0x00
    .equ SSI_CTRLR1, 0x04
    .equ SSI_SSIENR, 0x08
    .equ SSI_BAUDR, 0x14
    .equ SSI_SPI_CTRLR0, 0xf4

    ldr   r3, =0x18000000           @ XIP_SSI_BASE
    movs  r1, #0
    str   r1, [r3, #SSI_SSIENR]     @ off, while it is set up
    movs  r2, #4
    str   r2, [r3, #SSI_BAUDR]      @ a quarter of clk_sys
    ldr   r2, =0x001f0300           @ frames of 32 bits; send command and address, receive data
    str   r2, [r3, #SSI_CTRLR0]
    str   r1, [r3, #SSI_CTRLR1]     @ one frame a read
    ldr   r2, =0x03000218           @ command 03h of 8 bits, address of 24 bits, all on one wire
    movs  r0, #SSI_SPI_CTRLR0
    str   r2, [r3, r0]
    movs  r2, #1
    str   r2, [r3, #SSI_SSIENR]

    ldr   r0, =0x10000100           @ the vector table: stack, entry
    ldr   r1, =0xe000ed08           @ VTOR
    str   r0, [r1]
    ldmia r0!, {r1, r2}
    msr   msp, r1
    bx    r2
    .ltorg
