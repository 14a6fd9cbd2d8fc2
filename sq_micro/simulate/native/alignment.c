/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A memory hook for cores on which a word at an address that is no multiple of its size is a fault:
 * the emulator would let it pass. Unicorn calls it directly, at each access to RAM and flash.
 */
#include <stdint.h>

#if defined(_WIN32)
#define SQM_EXPORT __declspec(dllexport)
#else
#define SQM_EXPORT __attribute__((visibility("default")))
#endif

/** The first such access; bytes is 0 while there was none. `stop` is Unicorn's uc_emu_stop. */
typedef struct sqm_misaligned {
    uint64_t address;
    uint64_t bytes;
    int (*stop)(void *engine);
} sqm_misaligned;

SQM_EXPORT void sqm_check_alignment(void *engine, int kind, uint64_t address, int bytes,
                                    int64_t value, void *user_data);

/** Signature of Unicorn's uc_cb_hookmem_t. */
SQM_EXPORT void sqm_check_alignment(void *engine, int kind, uint64_t address, int bytes,
                                    int64_t value, void *user_data)
{
    sqm_misaligned *found = user_data;
    (void)kind;
    (void)value;
    if ((address & (uint64_t)(bytes - 1)) != 0 && found->bytes == 0) {
        found->address = address;
        found->bytes = (uint64_t)bytes;
        found->stop(engine);
    }
}
