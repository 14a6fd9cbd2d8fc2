"""Numbers without floating point, as printf writes them."""

from __future__ import annotations

import math
import subprocess
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import numpy as np
import pytest

from sq_micro.paths import project_files
from tests.unit.measure.fake_firmware import missing

pytestmark = pytest.mark.skipif(bool(missing("gcc")), reason="gcc is not installed")

_MAIN = r"""
#include <stdio.h>
#include "app/text.h"
#include "sqm/hal.h"

void sqm_uart_write(uint8_t byte)
{
    putchar(byte);
}

int main(void)
{
    int factor;
    unsigned mantissa, shift;
    while (scanf("%d %u %u", &factor, &mantissa, &shift) == 3) {
        sqm_text_scaled(factor, mantissa, shift);
        putchar('\n');
    }
    return 0;
}
"""


def printed(tmp_path: Path, cases: list[tuple[int, int, int]]) -> list[str]:
    (tmp_path / "main.c").write_text(_MAIN)
    firmware = project_files() / "firmware"
    command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=address,undefined"]
    command += [f"-I{firmware}", f"-I{firmware}/include", "main.c", str(firmware / "app" / "text.c"), "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    lines = "".join(f"{factor} {mantissa} {shift}\n" for factor, mantissa, shift in cases)
    done = subprocess.run([tmp_path / "main"], input=lines, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_scaled_numbers_are_those_of_printf(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    cases = [(int(factor), 1 << 23, 31) for factor in range(-255, 256)]  # softmax: 1/256, with all its ties
    for _ in range(3000):
        scale = float(np.float32(2.0 ** draw.uniform(-40, 10)))
        fraction, exponent = math.frexp(scale)
        cases.append((int(draw.integers(-255, 256)), int(fraction * 2**24), min(24 - exponent, 62)))
    for (factor, mantissa, shift), text in zip(cases, printed(tmp_path, cases), strict=True):
        value = factor * mantissa / 2**shift  # exact: 32 bits
        assert text == f"{value:.3f}"
        assert Decimal(text) == Decimal(value).quantize(Decimal("0.001"), ROUND_HALF_EVEN)
