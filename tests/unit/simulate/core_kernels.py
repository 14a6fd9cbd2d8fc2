"""Machine code with the cycles that each core takes for it, counted by hand from the documents that its table names.

r6 and s0 hold an address, r5 is 0. cycles are those of a block left by falling through; taken and mispredicted come on
top where its branch is taken, or not foreseen. A test compares the bytes with what the assembler makes. Those of the
Cortex-M4 are in timed_kernels.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CoreKernel:
    """A rule of a core, the assembly that shows it (statements split by a semicolon), its bytes and its cycles."""

    core: str
    rule: str
    assembly: str
    code: str
    cycles: int
    taken: int = 0
    mispredicted: int = 0

    def __str__(self) -> str:
        return f"{self.core}: {self.rule}"


CORE_KERNELS = (
    CoreKernel(
        "cortex-m0+",
        "loads and stores take 2",
        "ldr r1, [r6]; ldrb r2, [r6, #1]; ldrsh r3, [r6, r5]; str r1, [r6]; strb r2, [r6, r5]",
        "31687278735f31607255",
        10,
    ),
    CoreKernel("cortex-m0+", "nothing pipelines", "ldr r1, [r6]; ldr r2, [r6, #4]", "31687268", 4),
    CoreKernel("cortex-m0+", "LDM and STM take 1+N", "ldmia r6!, {r1, r2, r3}; stmia r6!, {r1, r2}", "0ece06c6", 7),
    CoreKernel("cortex-m0+", "PUSH and POP take 1+N", "push {r1, r2, lr}; pop {r1, r2}", "06b506bc", 7),
    CoreKernel("cortex-m0+", "POP to PC takes 3+N", "pop {r4, r5, pc}", "30bd", 5),
    CoreKernel(
        "cortex-m0+",
        "data processing and MULS take 1",
        "adds r1, r2, r3; lsls r1, r2, #4; muls r1, r2, r1; uxtb r1, r2; sxth r2, r3",
        "d11811015143d1b21ab2",
        5,
    ),
    CoreKernel("cortex-m0+", "B takes 2", "b .", "fee7", 2),
    CoreKernel(
        "cortex-m0+", "a conditional branch takes 1, or 2 where taken", "cmp r5, #0; beq .", "002dfed0", 2, taken=1
    ),
    CoreKernel("cortex-m0+", "BL takes 3", "bl .", "fff7feff", 3),
    CoreKernel("cortex-m0+", "BX and BLX take 2", "bx lr", "7047", 2),
    CoreKernel("cortex-m0+", "MOV to PC takes 2", "mov pc, r7", "bf46", 2),
    CoreKernel("cortex-m0+", "MRS and barriers take 3", "mrs r1, primask; dsb", "eff31081bff34f8f", 6),
    CoreKernel("cortex-m3", "loads take 2 and do not pipeline", "ldr r1, [r6]; ldr r2, [r6, #4]", "31687268", 4),
    CoreKernel(
        "cortex-m3", "STR immediate takes 1, with register offset 2", "str r1, [r6]; strb r1, [r6, r5]", "31607155", 3
    ),
    CoreKernel("cortex-m3", "LDM takes 1+N, LDRD 3", "ldm r6, {r1, r2, r3}; ldrd r1, r2, [r6]", "96e80e00d6e90012", 7),
    CoreKernel(
        "cortex-m3",
        "MUL takes 1, MLA and MLS 2",
        "mul r1, r2, r3; mla r1, r2, r3, r4; mls r1, r2, r3, r4",
        "02fb03f102fb034102fb1341",
        5,
    ),
    CoreKernel(
        "cortex-m3", "UMULL takes 4, UMLAL 6", "umull r1, r2, r3, r4; smlal r1, r2, r3, r4", "a3fb0412c3fb0412", 10
    ),
    CoreKernel("cortex-m3", "UDIV takes 6", "udiv r1, r2, r3", "b2fbf3f1", 6),
    CoreKernel(
        "cortex-m3", "a conditional branch takes 1, or 3 where taken", "cmp r5, #0; beq .", "002dfed0", 2, taken=2
    ),
    CoreKernel("cortex-m3", "BL and BX take 3", "bl .", "fff7feff", 3),
    CoreKernel("cortex-m3", "POP to PC takes 1+N+2", "pop {r4, r5, pc}", "30bd", 6),
    CoreKernel(
        "cortex-m3",
        "three straddling instructions take 1 more",
        "nop; mov.w r1, r4; mov.w r2, r4; mov.w r3, r4",
        "00bf4fea04014fea04024fea0403",
        5,
    ),
    CoreKernel("cortex-m3", "a straddling target costs 1 more", "mov.w r1, r4", "4fea0401", 1),
    CoreKernel("cortex-m33", "a load's result is late by 1", "ldr r1, [r6]; adds r1, #1", "31680131", 3),
    CoreKernel(
        "cortex-m33", "independent loads take 1", "ldr r1, [r6]; ldr r2, [r6, #4]; adds r3, #1", "316872680133", 3
    ),
    CoreKernel("cortex-m33", "stores take 1", "str r1, [r6]; strb r1, [r6, r5]", "31607155", 2),
    CoreKernel(
        "cortex-m33",
        "multiplications take 1",
        "smlad r1, r2, r3, r4; smlal r1, r2, r3, r4; mla r1, r2, r3, r4",
        "22fb0341c3fb041202fb0341",
        3,
    ),
    CoreKernel(
        "cortex-m33", "a conditional branch takes 1, or 2 where taken", "cmp r5, #0; beq .", "002dfed0", 2, taken=1
    ),
    CoreKernel("cortex-m33", "POP to PC takes 1+N+1", "pop {r4, r5, pc}", "30bd", 5),
    CoreKernel(
        "cortex-m7",
        "two independent instructions a cycle",
        "adds r1, r4, #1; adds r2, r4, #2; adds r3, r4, #3; adds r7, r4, #4",
        "611ca21ce31c271d",
        2,
    ),
    CoreKernel("cortex-m7", "a result is there in the next cycle", "adds r1, r4, #1; adds r2, r1, #2", "611c8a1c", 2),
    CoreKernel("cortex-m7", "one load a cycle", "ldr r1, [r6]; ldr r2, [r5]", "31682a68", 2),
    CoreKernel("cortex-m7", "two from different banks", "ldr r1, [r6]; ldr r2, [r6, #4]", "31687268", 1),
    CoreKernel("cortex-m7", "two from one bank", "ldr r1, [r6]; ldr r2, [r6, #8]", "3168b268", 2),
    CoreKernel(
        "cortex-m7", "a loaded value is there in the next cycle", "ldr r1, [r6]; adds r2, r1, #1", "31684a1c", 2
    ),
    CoreKernel("cortex-m7", "as an address one later", "ldr r1, [r6]; ldr r2, [r1]", "31680a68", 3),
    CoreKernel("cortex-m7", "a computed address is late by 1", "adds r1, r6, #4; ldr r2, [r1]", "311d0a68", 3),
    CoreKernel("cortex-m7", "one shift a cycle", "uxtb r1, r4; sxth r2, r4", "e1b222b2", 2),
    CoreKernel("cortex-m7", "a shift needs its operand one earlier", "adds r1, r4, #1; uxtb r2, r1", "611ccab2", 3),
    CoreKernel(
        "cortex-m7",
        "one multiplication a cycle, latency 2",
        "mul r1, r2, r3; mul r7, r2, r3; adds r1, r1, #1",
        "02fb03f102fb03f70131",
        3,
    ),
    CoreKernel(
        "cortex-m7", "accumulation is forwarded", "mla r1, r2, r3, r1; mla r1, r2, r3, r1", "02fb031102fb0311", 2
    ),
    CoreKernel(
        "cortex-m7", "what is stored may be computed in the same cycle", "adds r1, r4, #1; str r1, [r6]", "611c3160", 1
    ),
    CoreKernel("cortex-m7", "transfers of words block", "ldrd r1, r2, [r6]; adds r3, r4, #1", "d6e90012631c", 2),
    CoreKernel("cortex-m7", "STM moves one word a cycle", "stmia r6!, {r1, r2, r3}", "0ec6", 3),
    CoreKernel("cortex-m7", "a conditional branch waits for the flags", "cmp r5, #0; beq .", "002dfed0", 2, taken=1),
    CoreKernel("cortex-m7", "a branch costs a bubble", "b .", "fee7", 2),
    CoreKernel(
        "hazard3",
        "independent instructions take 1",
        "addi a0, a1, 1; add a2, a3, a4; sw a0, 0(s0); lui a5, 1",
        "138515003386e60008c08567",
        4,
    ),
    CoreKernel("hazard3", "a loaded word is late", "lw a0, 0(s0); add a1, a0, a0", "0840b305a500", 3),
    CoreKernel("hazard3", "a loaded byte is late", "lbu a0, 0(s0); add a1, a0, a0", "03450400b305a500", 3),
    CoreKernel(
        "hazard3",
        "an instruction between hides one cycle of it",
        "lw a0, 0(s0); addi a2, a2, 1; add a1, a0, a0",
        "08400506b305a500",
        3,
    ),
    CoreKernel("hazard3", "what is stored is needed one later", "lw a0, 0(s0); sw a0, 4(s0)", "084048c0", 2),
    CoreKernel("hazard3", "multiplication", "mul a0, a1, a2; add a3, a0, a0", "3385c502b306a500", 2),
    CoreKernel("hazard3", "the upper half of a product", "mulh a0, a1, a2; addi a3, a3, 1", "3395c5028506", 2),
    CoreKernel("hazard3", "division", "divu a0, a1, a2; add a3, a0, a0", "33d5c502b306a500", 19),
    CoreKernel("hazard3", "jumps", "jal ra, .", "ef000000", 2),
    CoreKernel("hazard3", "returns", "ret", "8280", 2),
    CoreKernel("hazard3", "a branch", "beq a0, a1, .", "6300b500", 1, mispredicted=1),
    CoreKernel("hazard3", "compressed instructions cost the same", "c.lw a0, 0(s0); c.add a1, a0", "0840aa95", 3),
    CoreKernel(
        "sifive-e31",
        "independent instructions take 1",
        "addi a0, a1, 1; add a2, a3, a4; sw a0, 0(s0); lui a5, 1",
        "138515003386e60008c08567",
        4,
    ),
    CoreKernel("sifive-e31", "a loaded word is late", "lw a0, 0(s0); add a1, a0, a0", "0840b305a500", 3),
    CoreKernel("sifive-e31", "a loaded byte is late", "lbu a0, 0(s0); add a1, a0, a0", "03450400b305a500", 4),
    CoreKernel(
        "sifive-e31",
        "an instruction between hides one cycle of it",
        "lw a0, 0(s0); addi a2, a2, 1; add a1, a0, a0",
        "08400506b305a500",
        3,
    ),
    CoreKernel("sifive-e31", "what is stored is needed one later", "lw a0, 0(s0); sw a0, 4(s0)", "084048c0", 2),
    CoreKernel("sifive-e31", "multiplication", "mul a0, a1, a2; add a3, a0, a0", "3385c502b306a500", 6),
    CoreKernel("sifive-e31", "the upper half of a product", "mulh a0, a1, a2; addi a3, a3, 1", "3395c5028506", 6),
    CoreKernel("sifive-e31", "division", "divu a0, a1, a2; add a3, a0, a0", "33d5c502b306a500", 19),
    CoreKernel("sifive-e31", "jumps", "jal ra, .", "ef000000", 1),
    CoreKernel("sifive-e31", "returns", "ret", "8280", 1),
    CoreKernel("sifive-e31", "a branch", "beq a0, a1, .", "6300b500", 1, mispredicted=3),
    CoreKernel("sifive-e31", "compressed instructions cost the same", "c.lw a0, 0(s0); c.add a1, a0", "0840aa95", 3),
    CoreKernel(
        "esp32-c3",
        "independent instructions take 1",
        "addi a0, a1, 1; add a2, a3, a4; sw a0, 0(s0); lui a5, 1",
        "138515003386e60008c08567",
        4,
    ),
    CoreKernel("esp32-c3", "a loaded word is late", "lw a0, 0(s0); add a1, a0, a0", "0840b305a500", 3),
    CoreKernel("esp32-c3", "a loaded byte is late", "lbu a0, 0(s0); add a1, a0, a0", "03450400b305a500", 3),
    CoreKernel(
        "esp32-c3",
        "an instruction between hides one cycle of it",
        "lw a0, 0(s0); addi a2, a2, 1; add a1, a0, a0",
        "08400506b305a500",
        3,
    ),
    CoreKernel("esp32-c3", "what is stored is needed one later", "lw a0, 0(s0); sw a0, 4(s0)", "084048c0", 2),
    CoreKernel("esp32-c3", "multiplication", "mul a0, a1, a2; add a3, a0, a0", "3385c502b306a500", 2),
    CoreKernel("esp32-c3", "the upper half of a product", "mulh a0, a1, a2; addi a3, a3, 1", "3395c5028506", 2),
    CoreKernel("esp32-c3", "division", "divu a0, a1, a2; add a3, a0, a0", "33d5c502b306a500", 19),
    CoreKernel("esp32-c3", "jumps", "jal ra, .", "ef000000", 3),
    CoreKernel("esp32-c3", "returns", "ret", "8280", 3),
    CoreKernel("esp32-c3", "a branch", "beq a0, a1, .", "6300b500", 1, taken=2),
    CoreKernel("esp32-c3", "compressed instructions cost the same", "c.lw a0, 0(s0); c.add a1, a0", "0840aa95", 3),
)
