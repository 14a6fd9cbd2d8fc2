"""The firmware's own memcpy, memmove, memset and memcmp against the C library's, under the sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sq_micro.paths import project_files
from tests.unit.measure.fake_firmware import missing

_NAMES = ("memcpy", "memmove", "memset", "memcmp")

# Every overlap and alignment of blocks up to 20 bytes: a word and its odd ends, several times over.
_PROGRAM = r"""
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void *own_memcpy(void *to, const void *from, size_t count);
void *own_memmove(void *to, const void *from, size_t count);
void *own_memset(void *to, int value, size_t count);
int own_memcmp(const void *left, const void *right, size_t count);

#define SIZE 48
static _Alignas(8) uint8_t own[SIZE], theirs[SIZE];

static void fill(void)
{
    for (int i = 0; i < SIZE; ++i) {
        own[i] = theirs[i] = (uint8_t)(i * 37 + 1);
    }
}

#define SAME(text) \
    if (memcmp(own, theirs, SIZE) != 0) { printf("%s %zu %zu %zu\n", text, to, from, count); return 1; }

int main(void)
{
    for (size_t count = 0; count <= 20; ++count) {
        for (size_t to = 0; to < 28; ++to) {
            for (size_t from = 0; from < 28; ++from) {
                fill();
                if (own_memmove(own + to, own + from, count) != own + to) { return 2; }
                memmove(theirs + to, theirs + from, count);
                SAME("memmove")
                if (to + count <= from || from + count <= to) {
                    fill();
                    if (own_memcpy(own + to, own + from, count) != own + to) { return 2; }
                    memcpy(theirs + to, theirs + from, count);
                    SAME("memcpy")
                }
                fill();
                const int sign = own_memcmp(own + to, own + from, count);
                const int right = memcmp(own + to, own + from, count);
                if ((sign > 0) != (right > 0) || (sign < 0) != (right < 0)) { return 3; }
            }
            fill();
            if (own_memset(own + to, 0x1A5, count) != own + to) { return 2; }
            memset(theirs + to, 0x1A5, count);
            const size_t from = 0;
            SAME("memset")
        }
    }
    return 0;
}
"""


@pytest.mark.skipif(bool(missing("gcc")), reason="gcc is not installed")
def test_memory_functions_do_what_the_library_does(tmp_path: Path) -> None:
    source, functions, program = tmp_path / "main.c", tmp_path / "memory.o", tmp_path / "memory"
    source.write_text(_PROGRAM, encoding="utf-8")
    memory = project_files() / "firmware" / "hal" / "memory.c"
    flags = ["-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    own = ["-fno-builtin", "-fno-tree-loop-distribute-patterns", *(f"-D{name}=own_{name}" for name in _NAMES)]
    subprocess.run(["gcc", *flags, *own, "-c", str(memory), "-o", str(functions)], check=True)
    subprocess.run(["gcc", *flags, str(source), str(functions), "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
