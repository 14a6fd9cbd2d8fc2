/*
 * The functions of fixed_point.h on int32 values from stdin, for comparison with their Python
 * twins. For each value v >= 0: exp(-v) in Q5 and Q4, 1 / (1 + v), logistic(v) and logistic(-v) in
 * Q4.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kernels/operators/fixed_point.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    int32_t v;

    while (fread(&v, sizeof v, 1, stdin) == 1) {
        const int32_t results[5] = {sqm_exp_of_negative(-v, 5), sqm_exp_of_negative(-v, 4),
                                    sqm_one_over_one_plus(v), sqm_logistic(v, 4),
                                    sqm_logistic(-v, 4)};
        fwrite(results, sizeof results, 1, stdout);
    }
    return EXIT_SUCCESS;
}
