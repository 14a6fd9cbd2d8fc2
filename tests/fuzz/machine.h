/* SPDX-License-Identifier: Apache-2.0 */
/* A machine around a firmware whose UART receives what the fuzzer has made up. */
#ifndef SQM_FUZZ_MACHINE_H
#define SQM_FUZZ_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/** A new machine, to which these bytes arrive; the stream ends behind them. */
void machine_start(const uint8_t *bytes, size_t count);

#endif
