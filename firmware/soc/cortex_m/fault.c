/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a run that went wrong: where it happened and why, sent to the host as a FAULT frame.
 * The system control registers are those of Arm DDI 0403E section B3.2.
 */
#include "soc/cortex_m/fault.h"

#include "hal/register.h"
#include "protocol/bytes.h"
#include "protocol/frame.h"
#include "sqm/hal.h"
#include "sqm/status.h"

#define CFSR 0xE000ED28u
#define HFSR 0xE000ED2Cu
#define BFAR 0xE000ED38u

#define FAULT_BODY_BYTES (5 * 4)
#define WIRE_BYTES (SQM_COBS_MAX(SQM_FRAME_HEAD_BYTES + FAULT_BODY_BYTES + SQM_FRAME_CRC_BYTES) + 1)

void sqm_fault_report(uint32_t pc, uint32_t lr);

void sqm_fault_report(uint32_t pc, uint32_t lr)
{
    uint8_t payload[SQM_FRAME_HEAD_BYTES + FAULT_BODY_BYTES + SQM_FRAME_CRC_BYTES];
    uint8_t wire[WIRE_BYTES];
    for (;;) {
        uint8_t *end = sqm_put_u8(payload, 0);
        end = sqm_put_u8(end, SQM_MESSAGE_FAULT);
        end = sqm_put_u32(end, pc);
        end = sqm_put_u32(end, lr);
        end = sqm_put_u32(end, SQM_REGISTER(CFSR));
        end = sqm_put_u32(end, SQM_REGISTER(HFSR));
        sqm_put_u32(end, SQM_REGISTER(BFAR));
        const uint32_t wire_bytes = sqm_frame_encode(payload, FAULT_BODY_BYTES, wire);
        sqm_uart_write(0); /* ends whatever was being sent */
        for (uint32_t i = 0; i < wire_bytes; ++i) {
            sqm_uart_write(wire[i]);
        }
        sqm_uart_flush();
        /* A host that missed it asks again and gets it again; so does one that connects later. */
        while (sqm_uart_read() != 0) {
        }
    }
}

/*
 * The exception frame lies on the stack that was in use: EXC_RETURN bit 2 (DDI 0403E section
 * B1.5.8). After an overflow that stack is no memory, so the frame is read only where it lies
 * inside the stack; pc and lr are 0 otherwise. Then the stack starts anew from its top, for nothing
 * returns from here and the report needs room.
 */
__attribute__((naked)) void sqm_fault(void)
{
    __asm volatile("    tst   lr, #4\n"
                   "    ite   eq\n"
                   "    mrseq r2, msp\n"
                   "    mrsne r2, psp\n"
                   "    movs  r0, #0\n"
                   "    movs  r1, #0\n"
                   "    ldr   r3, =sqm_stack_limit\n"
                   "    cmp   r2, r3\n"
                   "    blo   1f\n"
                   "    ldr   r3, =sqm_stack_top\n"
                   "    subs  r3, r3, #32\n"
                   "    cmp   r2, r3\n"
                   "    bhi   1f\n"
                   "    ldr   r0, [r2, #24]\n"
                   "    ldr   r1, [r2, #20]\n"
                   "1:  ldr   r3, =sqm_stack_top\n"
                   "    msr   msp, r3\n"
                   "    b     sqm_fault_report\n"
                   "    .ltorg\n");
}
