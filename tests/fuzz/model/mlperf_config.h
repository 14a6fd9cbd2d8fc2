/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLPERF_CONFIG_H
#define MLPERF_CONFIG_H

#define MLPERF_MODEL             "fuzzed"
#define MLPERF_ENERGY            0
#define MLPERF_CODES             {0, 1, 2, 3}
#define MLPERF_OUTPUT_ZERO_POINT (-128)
#define MLPERF_OUTPUT_MANTISSA   0xFFFFFFu
#define MLPERF_OUTPUT_SHIFT      30u

#endif
