"""The generated project, as its user meets it: alone in a folder, with a compiler and CMake and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from sq_micro.reference.interpreter import run
from tests.golden.codegen.models import MODELS, conv_dense, mixed
from tests.models.random_quant_graph import random_codes
from tests.unit.codegen.generated_program import (
    STRICT,
    include_flags,
    interleaved,
    main_text,
    missing,
    ran,
    separated,
    written,
)

needs_gcc = pytest.mark.skipif(bool(missing("gcc", "g++")), reason="gcc or g++ is not installed")
needs_arm_gcc = pytest.mark.skipif(bool(missing("arm-none-eabi-gcc")), reason="arm-none-eabi-gcc is not installed")
CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")

TWO_MODELS = """
cmake_minimum_required(VERSION 3.20)
project(two C)
add_subdirectory(first)
add_subdirectory(second)
add_executable(two main.c)
target_link_libraries(two PRIVATE sqm::conv_dense sqm_mixed_widths_v2)
"""


@needs_gcc
@pytest.mark.skipif(bool(missing("cmake", "make")), reason="cmake or make is not installed")
def test_plain_cmake_builds_two_models_into_one_program(tmp_path: Path) -> None:
    graphs = [conv_dense(), mixed()]
    for graph, name in zip(graphs, ("first", "second"), strict=True):
        written(graph, tmp_path / name)
    (tmp_path / "CMakeLists.txt").write_text(TWO_MODELS, encoding="utf-8")
    (tmp_path / "main.c").write_text(main_text(["sqm_conv_dense", "sqm_mixed_widths_v2"]), encoding="utf-8")
    ran("cmake", "-S", tmp_path, "-B", tmp_path / "build", "-DCMAKE_C_FLAGS=-Werror -fsanitize=address,undefined")
    ran("cmake", "--build", tmp_path / "build")
    assert list((tmp_path / "build").rglob("libsqm_conv_dense.a"))

    inputs = [random_codes(graph, 20, seed=index) for index, graph in enumerate(graphs)]
    expected = [run(graph, codes).reshape(20, -1) for graph, codes in zip(graphs, inputs, strict=True)]
    said = ran(tmp_path / "build" / "two", stdin=interleaved(inputs))
    for got, wanted in zip(separated(said, [part.shape[1] for part in expected]), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_code_is_free_of_warnings(name: str, compiler: str, tmp_path: Path) -> None:
    if absent := missing(compiler):
        pytest.skip(f"{absent} is not installed")
    project = written(MODELS[name](), tmp_path)
    extra = ("-Wpedantic", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wundef")
    for source in (project / "src").glob("*.c"):
        ran(compiler, *STRICT, *extra, *include_flags(project), "-O1", "-c", source, "-o", tmp_path / "x.o")


@needs_gcc
def test_the_header_is_good_cpp(tmp_path: Path) -> None:
    project = written(mixed(), tmp_path)
    source = '#include "sqm_mixed_widths_v2.h"\nint8_t *input() { return sqm_mixed_widths_v2_input(); }\n'
    (tmp_path / "user.cpp").write_text(source, encoding="utf-8")
    ran(
        "g++", "-Wall", "-Wextra", "-Werror", f"-I{project / 'include'}", "-c", tmp_path / "user.cpp", "-o", "/dev/null"
    )


def symbols(listing: bytes, kinds: str) -> set[str]:
    return set(re.findall(rf"^(?:[0-9a-f]+)? +[{kinds}] (\S+)$", listing.decode(), re.MULTILINE))


@needs_arm_gcc
@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_called_from_outside(name: str, tmp_path: Path) -> None:
    """No heap, no floating point, no library: what the objects lack, they find in each other."""
    project = written(MODELS[name](), tmp_path)
    undefined: set[str] = set()
    defined: set[str] = set()
    for source in sorted((project / "src").glob("*.c")):
        target = tmp_path / f"{source.stem}.o"
        ran("arm-none-eabi-gcc", *STRICT, *CORTEX_M4, "-O2", *include_flags(project), "-c", source, "-o", target)
        listing = ran("arm-none-eabi-nm", target)
        undefined |= symbols(listing, "U")
        defined |= symbols(listing, "A-TV-Z")
    assert not undefined - defined
    prefix = next((project / "include").glob("*.h")).stem
    assert {f"{prefix}_{name}" for name in ("input", "output", "invoke", "invoke_operator")} <= defined
    assert all(symbol.startswith(f"{prefix}_") for symbol in defined), "public names carry the model's name"


@needs_arm_gcc
def test_the_sizes_in_the_header_are_those_of_the_objects(tmp_path: Path) -> None:
    project = written(mixed(), tmp_path)
    header = (project / "include" / "sqm_mixed_widths_v2.h").read_text(encoding="utf-8")
    said = dict(re.findall(r"^#define SQM_MIXED_WIDTHS_V2_(\w+_BYTES) +(\d+)$", header, re.MULTILINE))
    sizes: dict[str, int] = {}
    for source in (project / "src").glob("*.c"):
        ran("arm-none-eabi-gcc", *CORTEX_M4, "-O2", *include_flags(project), "-c", source, "-o", tmp_path / "x.o")
        listing = ran("arm-none-eabi-nm", "-S", tmp_path / "x.o").decode()
        sizes |= {name: int(size, 16) for size, name in re.findall(r"^\w+ (\w+) \w (\S+)$", listing, re.MULTILINE)}
    weights = sum(size for name, size in sizes.items() if name.endswith("_weights"))
    tables = sum(size for name, size in sizes.items() if name.endswith(("_bias", "_multiplier", "_shift", "_steps")))
    assert int(said["WEIGHT_BYTES"]) == weights
    assert int(said["TABLE_BYTES"]) == tables
    assert int(said["ARENA_BYTES"]) == sizes["sqm_mixed_widths_v2_arena"]


@needs_gcc
def test_memories_can_be_chosen_from_outside(tmp_path: Path) -> None:
    project = written(conv_dense(), tmp_path)
    places = (
        '-DSQM_SECTION_ARENA=__attribute__((section(".fast")))',
        '-DSQM_SECTION_WEIGHTS=__attribute__((section(".slow")))',
    )
    for stem, section in (("sqm_conv_dense", ".fast"), ("sqm_conv_dense_weights", ".slow")):
        source, target = project / "src" / f"{stem}.c", tmp_path / f"{stem}.o"
        ran("gcc", *STRICT, *places, *include_flags(project), "-O2", "-c", source, "-o", target)
        assert section in ran("objdump", "-h", target).decode()
