/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer's bytes as commands of the MLPerf Tiny runner. Of the numbers of `infer` two digits
 * count: a million inferences would find nothing but time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "machine.h"

#define MOST_DIGITS 2

int mlperf_main(void); /* the application's main, by -Dmain */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    size_t count = 0;
    bool in_infer = false;
    int32_t digits = 0;
    for (size_t i = 0; i < size; ++i) {
        in_infer = data[i] != '%' && (in_infer || data[i] == 'i');
        digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
        if (!in_infer || digits <= MOST_DIGITS) {
            bytes[count++] = data[i];
        }
    }
    machine_start(bytes, count);
    (void)mlperf_main();
    free(bytes);
    return 0;
}
