"""The generated DS-CNN in a stranger's hands: plain CMake, strict warnings, sanitizers, no sq-micro around."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sq_micro.codegen.render import render_project
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.toolchain.cmake import find_program
from tests.acceptance.networks import quantized

STRICT = "-Wall -Wextra -Wconversion -Werror"
PROGRAM = """
#include <stdio.h>
#include "{prefix}.h"
int main(void)
{{
    while (fread({prefix}_input(), 1, {macro}_INPUT_BYTES, stdin) == {macro}_INPUT_BYTES) {{
        {prefix}_invoke();
        fwrite({prefix}_output(), 1, {macro}_OUTPUT_BYTES, stdout);
    }}
    return 0;
}}
"""
LISTS = """
cmake_minimum_required(VERSION 3.20)
project(stranger C)
add_subdirectory({prefix})
add_executable(stranger main.c)
target_link_libraries(stranger PRIVATE {prefix})
"""
HEAP = ("malloc", "calloc", "realloc", "free")
FLOATING_POINT = ("__aeabi_f", "__aeabi_d", "__aeabi_i2f", "__aeabi_i2d", "__aeabi_ui2", "__addsf", "__muldf")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dscnn_kws-mixed")]


def strangers_project(graph: QuantGraph, folder: Path) -> str:
    """A CMake project that takes the generated one in; the prefix of its names."""
    prefix = f"sqm_{graph.topology.name}"
    render_project(graph, make_plan(graph.topology, graph.bitwidths)).write(folder / prefix)
    (folder / "CMakeLists.txt").write_text(LISTS.format(prefix=prefix))
    (folder / "main.c").write_text(PROGRAM.format(prefix=prefix, macro=prefix.upper()))
    return prefix


def cmake(folder: Path, *options: str) -> Path:
    build = folder / "build"
    generator = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={find_program('ninja')}")
    subprocess.run([find_program("cmake"), "-S", folder, "-B", build, *generator, *options], check=True)
    subprocess.run([find_program("cmake"), "--build", build], check=True)
    return build


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_it_builds_strictly_and_runs_clean_under_sanitizers(tmp_path: Path, compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    graph, golden = quantized("dscnn_kws", "mixed")
    strangers_project(graph, tmp_path)
    flags = f"{STRICT} -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
    build = cmake(tmp_path, f"-DCMAKE_C_COMPILER={compiler}", f"-DCMAKE_C_FLAGS={flags}")
    done = subprocess.run([build / "stranger"], input=golden.inputs.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == golden.outputs.tobytes()


def test_it_asks_for_no_heap_and_no_floating_point(tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    graph, _ = quantized("dscnn_kws", "mixed")
    prefix = strangers_project(graph, tmp_path)
    build = cmake(
        tmp_path / prefix,
        "-DCMAKE_SYSTEM_NAME=Generic",
        "-DCMAKE_C_COMPILER=arm-none-eabi-gcc",
        "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
        f"-DCMAKE_C_FLAGS=-mcpu=cortex-m3 -mthumb -ffreestanding {STRICT}",  # no FPU: floats would be calls
    )
    listed = subprocess.run(
        ["arm-none-eabi-nm", "--undefined-only", build / f"lib{prefix}.a"], capture_output=True, text=True, check=True
    )
    wanted = {line.split()[-1] for line in listed.stdout.splitlines() if line.startswith(" ")}
    assert not {name for name in wanted if name in HEAP or name.startswith(FLOATING_POINT)}, wanted
    assert {name for name in wanted if not name.startswith("sqm_")} <= {"memcpy", "memset", "memmove"}
