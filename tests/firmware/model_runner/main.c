/*
 * Runs generated models on inputs from stdin and writes what each operator computes to stdout. The
 * table `models` is written by tests/differential/test_generated_c_is_reference.py.
 *
 *   runner <model>    stdin: inputs. stdout, per input: each operator's output, then the model's.
 *
 * An operator that changes a byte of the arena outside its output and its scratch ends the run. Of
 * those that run in patches the last runs them all, and the others have no output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int8_t before[LARGEST_ARENA_BYTES];

/** Codes that no model expects: whoever reads before anybody wrote gives other outputs. */
static void spoil(const model *m)
{
    static uint32_t state = 1;

    for (int32_t a = 0; a < m->arrays; ++a) {
        int8_t *const arena = (int8_t *)m->arena_at(m->array[a].offset);
        for (int32_t i = 0; i < m->array[a].bytes; ++i) {
            state = state * 1664525u + 1013904223u;
            arena[i] = (int8_t)(state >> 24);
        }
    }
}

static int inside(span span, int32_t at)
{
    return at >= span.offset && at < span.offset + span.bytes;
}

static int inside_any(const span *spans, int32_t at)
{
    for (int32_t i = 0; i < MOST_OTHERS; ++i) {
        if (inside(spans[i], at)) {
            return 1;
        }
    }
    return 0;
}

static void run_operator(const model *m, int32_t index)
{
    const step *step = &m->steps[index];

    for (int32_t a = 0; a < m->arrays; ++a) {
        const span array = m->array[a];
        memcpy(before + array.offset, m->arena_at(array.offset), (size_t)array.bytes);
    }
    m->invoke_operator(index);
    for (int32_t a = 0; a < m->arrays; ++a) {
        const span array = m->array[a];
        const int8_t *arena = m->arena_at(array.offset);
        for (int32_t i = array.offset; i < array.offset + array.bytes; ++i) {
            if (arena[i - array.offset] != before[i] && !inside(step->output, i) &&
                !inside_any(step->others, i)) {
                fprintf(stderr, "%s: operator %d writes at %d of the arena\n", m->name, (int)index,
                        (int)i);
                exit(EXIT_FAILURE);
            }
        }
    }
    fwrite(m->arena_at(step->output.offset), 1, (size_t)step->output.bytes, stdout);
}

int main(int argc, char **argv)
{
    const model *m = &models[argc > 1 ? atoi(argv[1]) : 0];
    int8_t *const input = malloc((size_t)m->input_bytes);

    while (input != NULL &&
           fread(input, 1, (size_t)m->input_bytes, stdin) == (size_t)m->input_bytes) {
        spoil(m);
        memcpy(m->input(), input, (size_t)m->input_bytes);
        for (int32_t i = 0; i < m->operators; ++i) {
            run_operator(m, i);
        }
        spoil(m);
        memcpy(m->input(), input, (size_t)m->input_bytes);
        m->invoke();
        fwrite(m->output(), 1, (size_t)m->output_bytes, stdout);
    }
    free(input);
    return EXIT_SUCCESS;
}
