/*
 * What the C standard leaves to the compiler: inlining, and loads of unaligned words.
 * Everything that depends on gcc or clang stands here and nowhere else, or is asserted here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef SQM_COMPILER_H
#define SQM_COMPILER_H

#include <stdint.h>

/**
 * In images that are to be the sum of their parts, clang takes every function for one that others
 * may call, too: before it inlines, it folds in what all callers pass. The linker drops copies that
 * nobody calls; where it is not told to, they would be left, hence not in every build.
 */
#if defined(__clang__) && defined(SQM_PARTS_ADD_UP)
#define SQM_ANY_CALLER __attribute__((used))
#else
#define SQM_ANY_CALLER
#endif

/** Kernels and nests: always inlined, so that constant arguments fold into the loops. */
#define SQM_INLINE SQM_ANY_CALLER static inline __attribute__((always_inline))

/**
 * SQM_NOINLINE: one function per operator, which keeps names in the map file, and stack use per
 * operator. SQM_SHARED: one copy for all operators of a translation unit that call it, none in
 * the others. Either is the same code whatever else the image has: gcc must not fold in what all
 * callers pass, nor make one function of two.
 */
#if defined(__clang__)
#define SQM_NOINLINE SQM_ANY_CALLER __attribute__((noinline))
#define SQM_SHARED   SQM_ANY_CALLER static __attribute__((noinline, unused))
#else
#define SQM_NOINLINE __attribute__((noipa))
#define SQM_SHARED   static __attribute__((noipa, unused))
#endif

/**
 * SQM_NAKED: a function whose body is one asm statement, and which keeps the procedure call
 * standard by itself. Parameters are read from registers, so the compiler must not miss their use:
 * they are SQM_IN_ASM.
 */
#if defined(__clang__)
#define SQM_NAKED static __attribute__((naked, noinline, unused, aligned(4)))
#else
#define SQM_NAKED static __attribute__((naked, noipa, unused, aligned(4)))
#endif
#define SQM_IN_ASM __attribute__((unused))

/** Deliberately out of line, but what all callers pass may be folded in. */
#define SQM_OUT_OF_LINE static __attribute__((noinline, unused))

/* Rounding and bit fields shift negative numbers right, which C leaves to the implementation. */
_Static_assert((-3 >> 1) == -2, "a right shift of a negative number rounds towards minus infinity");
_Static_assert((int32_t)0xFFFFFFFEu == -2, "conversion to int32_t wraps");

_Static_assert(sizeof(unsigned int) == sizeof(uint32_t), "__builtin_clz counts in an unsigned int");

/** Leading zero bits of a word that is not 0. */
SQM_INLINE int32_t sqm_leading_zeros(uint32_t value)
{
    return __builtin_clz(value);
}

/** Whether two words can be multiplied to 64 bits: on ARMv6-M that is a call of some 40 cycles. */
#if defined(__thumb__) && !defined(__thumb2__)
#define SQM_HAS_LONG_MULTIPLY 0
#else
#define SQM_HAS_LONG_MULTIPLY 1
#endif

/** v clamped to int8's range, and to that of four bits without a sign: one instruction on Arm,
 * which gcc misses in long functions. */
#if defined(__ARM_FEATURE_SAT)
#define SQM_SATURATE_S8(v) ((int32_t)__builtin_arm_ssat((v), 8))
#define SQM_SATURATE_U4(v) ((int32_t)__builtin_arm_usat((v), 4))
#else
#define SQM_SATURATE_S8(v) ((v) < -128 ? -128 : (v) > 127 ? 127 : (v))
#define SQM_SATURATE_U4(v) ((v) < 0 ? 0 : (v) > 15 ? 15 : (v))
#endif

/**
 * Int32 variables that shall all be loaded before the first is used. On Cortex-M3 and M4 a load
 * right after a load takes one cycle, a load between other instructions two; compilers spread them.
 * Emits no instruction.
 */
#define SQM_LOADED_TOGETHER(a, b, c, d, e) __asm__("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e))

/** The same for a signed and two unsigned ones. */
#define SQM_LOADED_TOGETHER_3(a, b, c) __asm__("" : "+r"(a), "+r"(b), "+r"(c))

/**
 * The start of a step of an unrolled loop: it finds pointers and sums as the step before left them.
 * gcc would move this step's loads in between that one's multiplications, which costs ResNet8 4 to
 * 5 % on a Cortex-M4 (modelled, gcc 12); clang does not, and would lose up to 2 %. No instruction.
 */
#if defined(__clang__)
#define SQM_STEP_STARTS(x, w, a, b, c, d) ((void)0)
#define SQM_STEP_STARTS_4(x, w, a, b)     ((void)0)
#else
#define SQM_STEP_STARTS(x, w, a, b, c, d)                                                          \
    __asm__("" : "+r"(x), "+r"(w), "+r"(a), "+r"(b), "+r"(c), "+r"(d))
#define SQM_STEP_STARTS_4(x, w, a, b) __asm__("" : "+r"(x), "+r"(w), "+r"(a), "+r"(b))
#endif

/** Hides where an int32 variable came from: without it copy loops become calls of memcpy. */
#define SQM_OPAQUE(a) __asm__("" : "+r"(a))

/**
 * Addresses that are to be read from memory when they are wanted: as constants, each would be an
 * instruction or three and made from the one before it, and code would be as long as they are far
 * apart.
 */
SQM_INLINE int8_t *const *sqm_read_when_wanted(int8_t *const addresses[])
{
    __asm__("" : "+r"(addresses));
    return addresses;
}

/** `return address;`, the same code wherever in an arena that is: clang would put it together. */
#if defined(__clang__)
#define SQM_RETURN_ADDRESS(address)                                                                \
    static int8_t *const at[] = {address};                                                         \
    return *sqm_read_when_wanted(at)
#else
#define SQM_RETURN_ADDRESS(address) return address
#endif

/**
 * Of `count` parts the one whose turn it is, from the last or from the first: the same code for
 * either, since which it is follows from where an arena has its tensors.
 */
SQM_INLINE int32_t sqm_part_in_turn(int32_t index, int32_t count, int32_t from_the_last)
{
    int32_t way = 0xD6 + from_the_last; /* unlike 0 and 1 no number that code has in a register */

    if (count == 1) {
        return 0;
    }
    SQM_OPAQUE(way);
    return way % 2 != 0 ? count - 1 - index : index;
}

/** The word at any address, least significant byte first. Compilers turn it into one load. */
SQM_INLINE uint32_t sqm_load_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/** The word to any address, least significant byte first. Compilers turn it into one store. */
SQM_INLINE void sqm_store_u32(uint8_t *bytes, uint32_t word)
{
    bytes[0] = (uint8_t)word;
    bytes[1] = (uint8_t)(word >> 8);
    bytes[2] = (uint8_t)(word >> 16);
    bytes[3] = (uint8_t)(word >> 24);
}

/** The half word at any address, least significant byte first. */
SQM_INLINE uint32_t sqm_load_u16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

#endif
