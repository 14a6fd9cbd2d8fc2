"""Small firmware as machine code: it times itself with the cycle counter and reports over the UART."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EchoFirmware:
    """For each byte n it receives, it counts down from n and sends the cycles of that, as 32 bits, little endian.

    The board's UART is polled for input and for room to send; there is no interrupt.
    """

    board: str
    origin: int
    code: bytes


def countdown_cycles(n: int) -> int:
    """SUBS and BNE n times, the last not taken, then the block of the second read as far as it costs: 8."""
    return n + 3 * (n - 1) + 1 + 8


# movw r0, #0xedfc; movt r0, #0xe000; mov.w r1, #0x01000000; str r1, [r0]    DEMCR.TRCENA
# movw r0, #0x1000; movt r0, #0xe000; movs r1, #1; str r1, [r0]              DWT_CTRL.CYCCNTENA
CYCLE_COUNTER_ON = bytes.fromhex("4ef6fc50cef200004ff08071016041f20000cef2000001210160")

# ...; movw r7, #0x8000; movt r7, #0x4000; mov.w r1, #13; str r1, [r7]       LPUART1, CR1: UE, RE, TE
# 1: ldr r1, [r7, #0x1c]; lsls r2, r1, #26; bpl 1b; ldrb r3, [r7, #0x24]     ISR.RXNE, RDR
#    ldr r5, [r0, #4]; b 2f; nop; 2: subs r3, #1; bne 2b; ldr r4, [r0, #4]; subs r4, r5; movs r6, #4
# 3: ldr r1, [r7, #0x1c]; lsls r2, r1, #24; bpl 3b; str r4, [r7, #0x28]      ISR.TXE, TDR
#    lsrs r4, #8; subs r6, #1; bne 3b; b 1b
STM32 = EchoFirmware(
    "nucleo_l4r5zi",
    0x0800_0000,
    CYCLE_COUNTER_ON
    + bytes.fromhex(
        "48f20007c4f200074ff00d013960f9698a06fcd597f82430456800e000bf013bfdd1"
        "4468641b0426f9690a06fcd5bc62240a013ef8d1eae7"
    ),
)

# The same with movw r7, #0x4000; ...; mov.w r1, #3; str r1, [r7, #8]        UART0, CTRL: TX and RX enabled
# 1: ldr r1, [r7, #4]; lsls r2, r1, #30; bpl 1b; ldrb r3, [r7]               STATE bit 1, DATA
# 3: ldr r1, [r7, #4]; lsls r2, r1, #31; bmi 3b; str r4, [r7]                STATE bit 0, DATA
CMSDK = EchoFirmware(
    "mps2_an386",
    0x0000_0000,
    CYCLE_COUNTER_ON
    + bytes.fromhex(
        "44f20007c4f200074ff00301b96079688a07fcd53b78456800e000bf013bfdd14468641b04267968ca07fcd43c60240a013ef8d1ebe7"
    ),
)
