"""Machine code with the cycles that a Cortex-M4 takes for it, counted by hand from the rules.

Registers: r4 = 3, r5 = 0, r6 = address of 256 bytes of SRAM; r1, r2, r3, r7 and s0..s15 are free. Code starts at a word
boundary; the cycles are those of the instructions alone. A test compares the bytes with what the assembler makes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kernel:
    """A rule, the assembly that shows it (statements split by a semicolon), its bytes and its cycles."""

    rule: str
    assembly: str
    code: bytes
    cycles: int


KERNELS = (
    Kernel("nothing", "", bytes.fromhex(""), 0),
    Kernel("LDR takes 2", "ldr r1, [r6]", bytes.fromhex("3168"), 2),
    Kernel("a second LDR pipelines", "ldr r1, [r6]; ldr r2, [r6, #4]", bytes.fromhex("31687268"), 3),
    Kernel(
        "loads of all sizes pipeline",
        "ldrb r1, [r6]; ldrh r2, [r6, #4]; ldrsb r3, [r6, r5]; ldrsh r7, [r6, r5]",
        bytes.fromhex("3178b2887357775f"),
        5,
    ),
    Kernel(
        "a load from a loaded address waits",
        "str r6, [r6]; ldr r1, [r6]; ldr r2, [r1]",
        bytes.fromhex("366031680a68"),
        5,
    ),
    Kernel(
        "a load from a loaded index waits",
        "str r5, [r6]; ldr r1, [r6]; ldr r2, [r6, r1]",
        bytes.fromhex("356031687258"),
        5,
    ),
    Kernel(
        "a load behind arithmetic does not pipeline",
        "ldr r1, [r6]; adds r1, #1; ldr r2, [r6]",
        bytes.fromhex("316801313268"),
        5,
    ),
    Kernel(
        "loads with write-back do not pipeline",
        "mov r7, r6; ldr r1, [r7], #4; ldr r2, [r7], #4",
        bytes.fromhex("374657f8041b57f8042b"),
        5,
    ),
    Kernel(
        "nor does a load behind one",
        "mov r7, r6; ldr r1, [r7], #4; ldr r2, [r6]",
        bytes.fromhex("374657f8041b3268"),
        5,
    ),
    Kernel(
        "nor one behind a load",
        "mov r7, r6; ldr r2, [r6]; ldr r1, [r7, #4]!",
        bytes.fromhex("3746326857f8041f"),
        5,
    ),
    Kernel(
        "STR immediate takes 1",
        "str r1, [r6]; strb r1, [r6, #1]; strh r1, [r6, #2]",
        bytes.fromhex("316071707180"),
        3,
    ),
    Kernel("STR with register offset takes 2", "str r1, [r6, r5]", bytes.fromhex("7151"), 2),
    Kernel(
        "STR with register offset pipelines behind a load",
        "ldr r1, [r6]; str r2, [r6, r5]",
        bytes.fromhex("31687251"),
        3,
    ),
    Kernel(
        "unless it needs what was loaded",
        "str r5, [r6]; ldr r1, [r6]; str r2, [r6, r1]",
        bytes.fromhex("356031687250"),
        5,
    ),
    Kernel("a load behind a store does not pipeline", "str r1, [r6]; ldr r2, [r6]", bytes.fromhex("31603268"), 3),
    Kernel("LDM takes 1+N", "ldm r6, {r1, r2, r3}", bytes.fromhex("96e80e00"), 4),
    Kernel("STM takes 1+N", "mov r7, r6; stmia r7!, {r1, r2, r3}", bytes.fromhex("37460ec7"), 5),
    Kernel("PUSH and POP take 1+N", "push {r1, r2}; pop {r1, r2}", bytes.fromhex("06b406bc"), 6),
    Kernel("LDRD takes 3", "ldrd r1, r2, [r6]", bytes.fromhex("d6e90012"), 3),
    Kernel("STRD takes 3", "strd r1, r2, [r6]", bytes.fromhex("c6e90012"), 3),
    Kernel("B takes 1+2", "b 1f; nop; 1:", bytes.fromhex("00e000bf"), 3),
    Kernel(
        "a conditional branch that is taken takes 1+2",
        "cmp r5, #0; beq 1f; nop; 1:",
        bytes.fromhex("002d00d000bf"),
        4,
    ),
    Kernel("one that is not takes 1", "cmp r5, #0; bne 1f; nop; 1:", bytes.fromhex("002d00d100bf"), 3),
    Kernel("CBZ that is taken takes 1+2", "cbz r5, 1f; nop; 1:", bytes.fromhex("05b100bf"), 3),
    Kernel("CBNZ that is not takes 1", "cbnz r5, 1f; nop; 1:", bytes.fromhex("05b900bf"), 2),
    Kernel(
        "a loop pays for each turn but the last",
        "movs r1, #10; 1: subs r1, #1; bne 1b",
        bytes.fromhex("0a210139fdd1"),
        39,
    ),
    Kernel("BL takes 1+2", "bl 1f; nop; 1:", bytes.fromhex("00f001f800bf"), 3),
    Kernel("BX takes 1+2", "adr.w r7, 1f+1; bx r7; nop; 1:", bytes.fromhex("0ff20507384700bf"), 4),
    Kernel("BLX takes 1+2", "adr.w r7, 1f+1; blx r7; nop; 1:", bytes.fromhex("0ff20507b84700bf"), 4),
    Kernel(
        "POP to PC takes 1+N+2",
        "adr.w r7, 1f+1; push {r6, r7}; pop {r6, pc}; 1:",
        bytes.fromhex("0ff20507c0b440bd"),
        9,
    ),
    Kernel(
        "LDR to PC takes 5",
        "adr.w r7, 1f+1; str r7, [r6]; nop; ldr pc, [r6]; 1:",
        bytes.fromhex("0ff20907376000bfd6f800f0"),
        8,
    ),
    Kernel("MOV to PC takes 1+2", "adr.w r7, 1f; mov pc, r7; nop; 1:", bytes.fromhex("0ff20407bf4600bf"), 4),
    Kernel("TBB takes 2+2", "tbb [pc, r5]; .byte 1, 0; 1:", bytes.fromhex("dfe805f00100"), 4),
    Kernel("IT takes 1", "cmp r5, #0; it eq; addeq r1, #1", bytes.fromhex("002d08bf0131"), 3),
    Kernel(
        "a return under IT that is not taken takes 1",
        "cmp r5, #0; it ne; bxne lr",
        bytes.fromhex("002d18bf7047"),
        3,
    ),
    Kernel(
        "a POP to PC under IT that is not taken takes 1",
        "cmp r5, #0; it ne; popne {r7, pc}",
        bytes.fromhex("002d18bf80bd"),
        3,
    ),
    Kernel(
        "a POP to PC under IT that is taken takes all",
        "adr.w r7, 1f+1; push {r6, r7}; cmp r5, #0; it eq; popeq {r6, pc}; nop; 1:",
        bytes.fromhex("0ff20b07c0b4002d08bf40bd00bf"),
        11,
    ),
    Kernel(
        "MUL, MLA and MLS take 1",
        "muls r1, r4, r1; nop; mla r1, r2, r3, r4; mls r1, r2, r3, r4",
        bytes.fromhex("614300bf02fb034102fb1341"),
        4,
    ),
    Kernel(
        "long multiplications take 1",
        "smull r1, r2, r3, r4; umull r1, r2, r3, r4; smlal r1, r2, r3, r4; umlal r1, r2, r3, r4; umaal r1, r2, r3, r4",
        bytes.fromhex("83fb0412a3fb0412c3fb0412e3fb0412e3fb6412"),
        5,
    ),
    Kernel(
        "DSP multiplications take 1",
        "smlad r1, r2, r3, r4; smuad r1, r2, r3; smlald r1, r2, r3, r4; smlabb r1, r2, r3, r4; smmulr r1, r2, r3",
        bytes.fromhex("22fb034122fb03f1c3fbc41212fb034152fb13f1"),
        5,
    ),
    Kernel(
        "DSP arithmetic takes 1",
        "sxtb16 r1, r2, ror #8; ssat r1, #8, r2; qadd r1, r2, r3; sadd16 r1, r2, r3",
        bytes.fromhex("2ffa92f102f3070183fa82f192fa03f1"),
        4,
    ),
    Kernel(
        "packing takes 1",
        "pkhbt r1, r2, r3, lsl #16; uxtab16 r1, r2, r3; rev r1, r2; bfi r1, r2, #4, #8",
        bytes.fromhex("c2ea034132fa83f111ba62f30b11"),
        4,
    ),
    Kernel("UDIV and SDIV take 6", "udiv r1, r6, r4; sdiv r1, r6, r4", bytes.fromhex("b6fbf4f196fbf4f1"), 12),
    Kernel("LDREX and STREX take 2", "ldrex r1, [r6]; strex r2, r1, [r6]", bytes.fromhex("56e8001f46e80012"), 4),
    Kernel(
        "three wide instructions in place take 3",
        "mov.w r1, r4; mov.w r2, r4; mov.w r3, r4",
        bytes.fromhex("4fea04014fea04024fea0403"),
        3,
    ),
    Kernel(
        "two that straddle words take 2",
        "nop; mov.w r1, r4; mov.w r2, r4",
        bytes.fromhex("00bf4fea04014fea0402"),
        3,
    ),
    Kernel(
        "three that straddle words take 1 more",
        "nop; mov.w r1, r4; mov.w r2, r4; mov.w r3, r4",
        bytes.fromhex("00bf4fea04014fea04024fea0403"),
        5,
    ),
    Kernel(
        "so do six",
        "nop; mov.w r1, r4; mov.w r2, r4; mov.w r3, r4; mov.w r1, r4; mov.w r2, r4; mov.w r3, r4",
        bytes.fromhex("00bf4fea04014fea04024fea04034fea04014fea04024fea0403"),
        8,
    ),
    Kernel(
        "a branch to a wide instruction in place",
        "b 1f; nop; 1: mov.w r1, r4",
        bytes.fromhex("00e000bf4fea0401"),
        4,
    ),
    Kernel(
        "a branch to a straddling one takes 1 more",
        "b 1f; nop; nop; 1: mov.w r1, r4",
        bytes.fromhex("01e000bf00bf4fea0401"),
        5,
    ),
    Kernel(
        "falling through to one does not",
        "cmp r5, #0; nop; bne 1f; mov.w r1, r4; 1:",
        bytes.fromhex("002d00bf01d14fea0401"),
        4,
    ),
    Kernel(
        "FPU arithmetic takes 1",
        "vadd.f32 s0, s1, s2; vmul.f32 s3, s4, s5; vmov s6, r1; vcvt.f32.s32 s7, s6",
        bytes.fromhex("30ee810a62ee221a03ee101af8eec33a"),
        4,
    ),
    Kernel("its result is late by 1", "vadd.f32 s0, s1, s2; vmul.f32 s3, s0, s5", bytes.fromhex("30ee810a60ee221a"), 3),
    Kernel("VFMA and VMLA take 3", "vfma.f32 s0, s1, s2; vmla.f32 s3, s4, s5", bytes.fromhex("a0ee810a42ee221a"), 6),
    Kernel("VDIV and VSQRT take 14", "vdiv.f32 s0, s1, s2; vsqrt.f32 s3, s4", bytes.fromhex("80ee810af1eec21a"), 28),
    Kernel(
        "VLDR pipelines",
        "vldr s0, [r6]; vldr s1, [r6, #4]; vstr s0, [r6]",
        bytes.fromhex("96ed000ad6ed010a86ed000a"),
        4,
    ),
    Kernel(
        "64-bit registers are two words",
        "vpush {d8, d9}; vpop {d8, d9}; vldr d0, [r6]; vstr d0, [r6]",
        bytes.fromhex("2ded048bbdec048b96ed000b86ed000b"),
        16,
    ),
)
