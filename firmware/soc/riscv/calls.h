/*
 * Calls of one size, for GNU tools: of `call` and `tail` they make two instructions, which the
 * linker shortens to four bytes or two by how far caller and callee lie apart, so that code would
 * follow from what lies between. JAL reaches 1 MiB.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
__asm__(".macro call to\n"
        "    jal ra, \\to\n"
        ".endm\n"
        ".macro tail to\n"
        "    jal zero, \\to\n"
        ".endm\n");
