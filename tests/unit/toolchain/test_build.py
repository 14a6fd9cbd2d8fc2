"""Building firmware, and what is said where it does not fit or does not compile."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import shutil
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.errors import DoesNotFitError, ToolchainError, UsageError
from sq_micro.paths import project_files
from sq_micro.toolchain.cmake import build_firmware, find_program
from sq_micro.toolchain.compiler import CompilerChoice, zig_path
from sq_micro.toolchain.firmware import STACK_MARGIN_BYTES, Firmware, build, inspect_firmware
from sq_micro.toolchain.sections import read_footprint
from tests.golden.codegen.models import conv_dense, mixed
from tests.unit.codegen.generated_program import missing
from tests.unit.toolchain.images import NUCLEO, request_for, smaller_nucleo

pytestmark = pytest.mark.skipif(bool(missing("cmake", "ninja")), reason="cmake or ninja is not installed")
needs_arm_gcc = pytest.mark.skipif(bool(missing("arm-none-eabi-gcc")), reason="arm-none-eabi-gcc is not installed")
ARM_COMPILERS = [
    pytest.param("gcc", marks=needs_arm_gcc),
    pytest.param(
        "zig",
        marks=[pytest.mark.slow, pytest.mark.skipif(zig_path() is None, reason="ziglang is not installed")],
    ),
]


@pytest.mark.parametrize("compiler", ARM_COMPILERS)
def test_a_tiny_model_is_built_for_the_nucleo(compiler: CompilerChoice, tmp_path: Path) -> None:
    request = request_for(mixed(), tmp_path, load_board(NUCLEO), compiler)
    firmware = build(request)
    assert firmware.elf.is_file()
    assert firmware.compiler.startswith(compiler)
    assert firmware.footprint.arena_bytes == request.arena_bytes
    assert firmware.worst_stack_bytes is not None
    wanted = firmware.worst_stack_bytes + STACK_MARGIN_BYTES
    assert wanted <= firmware.footprint.stack_bytes < wanted + 8
    assert firmware.footprint.stack_bytes < request.board.stack_bytes
    log = (request.build_dir / "build.log").read_text(encoding="utf-8")
    assert log.count("$ ") >= 2, "the log holds both commands"
    assert "firmware.elf" in log


@pytest.mark.skipif(bool(missing("gcc")), reason="gcc is not installed")
def test_a_tiny_model_is_built_for_this_computer(tmp_path: Path) -> None:
    firmware = build(request_for(conv_dense(), tmp_path, load_board("host"), "gcc"))
    assert firmware.elf.name == "firmware"
    assert firmware.worst_stack_bytes is None
    assert firmware.footprint.weights_bytes == 9 * 4 + 36 * 3


@needs_arm_gcc
def test_an_unchanged_model_is_not_compiled_again(tmp_path: Path) -> None:
    request = request_for(conv_dense(), tmp_path, load_board(NUCLEO), "gcc")
    build_firmware(request)
    objects = {path: path.stat().st_mtime_ns for path in request.build_dir.rglob("*.c.obj")}
    assert objects
    (request.build_dir / "left_over.txt").touch()
    request_for(conv_dense(), tmp_path, load_board(NUCLEO), "gcc")
    assert build_firmware(request).is_file()
    assert (request.build_dir / "left_over.txt").exists(), "the folder is the same"
    assert {path: path.stat().st_mtime_ns for path in objects} == objects


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ARM_COMPILERS)
@pytest.mark.parametrize("region", ["flash", "SRAM"])
def test_a_model_that_is_too_big_says_how_many_bytes_are_missing(
    region: str, compiler: CompilerChoice, tmp_path: Path
) -> None:
    """The board that has exactly those bytes more takes the model; the one with four bytes fewer does not."""
    graph = mixed()
    little = {"flash_bytes": 4096} if region == "flash" else {"sram_bytes": 256}
    request = request_for(graph, tmp_path / "small", smaller_nucleo(tmp_path, **little), compiler)
    with pytest.raises(DoesNotFitError) as caught:
        build(request)
    error = caught.value
    assert (error.resource, error.exit_code) == (region, 3)
    assert f"short of {error.short_bytes:,} B of {region}: " in str(error)
    assert f"small_nucleo has {next(iter(little.values())):,} B" in error.detail
    if region == "SRAM":
        assert f"arena {request.arena_bytes:,} B, a stack beside it, other variables" in error.detail
    assert "overflowed by" in (request.build_dir / "build.log").read_text(encoding="utf-8")

    key, size = next(iter(little.items()))
    with_stack = size + error.short_bytes
    if region == "SRAM":
        with pytest.raises(DoesNotFitError, match=r"B of SRAM: arena .* B, stack [1-9][0-9]+ B, other") as on_top:
            build(request_for(graph, tmp_path / "stack", smaller_nucleo(tmp_path, **{key: with_stack}), compiler))
        with_stack += on_top.value.short_bytes
    enough = smaller_nucleo(tmp_path, **{key: with_stack})
    footprint = build(request_for(graph, tmp_path / "enough", enough, compiler)).footprint
    taken = footprint.flash_bytes if region == "flash" else footprint.sram_bytes
    assert with_stack - taken in range(16), "only the padding between sections is not in the footprint"
    if compiler == "gcc":
        short_by_4 = smaller_nucleo(tmp_path, **{key: with_stack - 4})
        with pytest.raises(DoesNotFitError) as again:
            build(request_for(graph, tmp_path / "nearly", short_by_4, compiler))
        assert again.value.short_bytes == 4


def test_a_stack_that_is_too_small_is_noticed_after_linking(nucleo_firmware: Firmware) -> None:
    board = replace(load_board(NUCLEO), stack_bytes=256)
    with pytest.raises(DoesNotFitError) as caught:
        inspect_firmware(nucleo_firmware.elf, board, "gcc")
    worst = nucleo_firmware.worst_stack_bytes
    assert worst is not None
    assert str(caught.value).startswith(
        f"short of {worst + STACK_MARGIN_BYTES - 256:,} B of stack: the deepest path needs {worst:,} B (sqm_reset > "
    )
    assert "nucleo_l4r5zi allows 256 B" in caught.value.detail


@needs_arm_gcc
def test_a_compiler_error_is_quoted_and_the_log_is_kept(tmp_path: Path) -> None:
    request = request_for(conv_dense(), tmp_path, load_board(NUCLEO), "gcc")
    source = request.model_dir / "src" / "sqm_conv_dense.c"
    source.write_text(source.read_text(encoding="utf-8") + "\nint broken = ;\n", encoding="utf-8")
    with pytest.raises(ToolchainError, match=r"cmake ended with 1: .*sqm_conv_dense\.c:\d+:\d+: error: ") as caught:
        build(request)
    assert caught.value.exit_code == 5
    assert caught.value.log_path == request.build_dir / "build.log"
    assert "int broken" in caught.value.log_path.read_text(encoding="utf-8")


@needs_arm_gcc
def test_an_error_of_cmake_itself_is_in_the_log_too(tmp_path: Path) -> None:
    request = request_for(conv_dense(), tmp_path, load_board(NUCLEO), "gcc")
    shutil.rmtree(request.model_dir)
    with pytest.raises(ToolchainError, match="cmake ended with 1: CMake Error") as caught:
        build(request)
    assert caught.value.log_path is not None
    assert "SQM_MODEL_DIR is not a folder" in caught.value.log_path.read_text(encoding="utf-8")


@needs_arm_gcc
def test_another_compiler_gets_a_fresh_build_folder(tmp_path: Path) -> None:
    request = request_for(conv_dense(), tmp_path, load_board(NUCLEO), "gcc")
    build_firmware(request)
    (request.build_dir / "left_over.txt").touch()
    other_flags = replace(request.board, core=replace(request.board.core, flags=(*request.board.core.flags, "-DX")))
    build_firmware(replace(request, board=other_flags))
    assert not (request.build_dir / "left_over.txt").exists()


@needs_arm_gcc
def test_a_build_folder_that_was_moved_is_begun_anew(tmp_path: Path) -> None:
    """As is one that another installation of sq-micro configured: CMake would refuse either."""
    request = request_for(conv_dense(), tmp_path, load_board(NUCLEO), "gcc")
    build_firmware(request)
    moved = replace(request, build_dir=tmp_path / "moved")
    request.build_dir.rename(moved.build_dir)
    assert build_firmware(moved).is_file()
    cache = moved.build_dir / "CMakeCache.txt"
    text = cache.read_text(encoding="utf-8")
    cache.write_text(text.replace(f"={project_files()}\n", f"={tmp_path}\n"), encoding="utf-8")
    assert build_firmware(moved).is_file()
    assert f"CMAKE_HOME_DIRECTORY:INTERNAL={project_files()}\n" in cache.read_text(encoding="utf-8")


@needs_arm_gcc
def test_a_build_folder_of_other_origin_is_left_alone(tmp_path: Path) -> None:
    request = request_for(conv_dense(), tmp_path, load_board(NUCLEO), "gcc")
    request.build_dir.mkdir()
    (request.build_dir / "thesis.pdf").touch()
    with pytest.raises(UsageError, match="holds files that sq-micro did not put there"):
        build(request)
    assert (request.build_dir / "thesis.pdf").exists()


def test_a_program_that_is_nowhere() -> None:
    with pytest.raises(ToolchainError, match="no_such_program is missing: pip install no_such_program"):
        find_program("no_such_program")


@pytest.mark.parametrize("place", ["scripts", "cmake/data/bin", "cmake/bin"])
def test_a_program_that_is_in_its_wheel_only(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls `.venv/bin/sq-micro` has no `.venv/bin` on PATH."""
    package = tmp_path / "cmake" / "__init__.py"
    for file in (package, tmp_path / place / "cmake"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    spec = importlib.machinery.ModuleSpec("cmake", None, origin=str(package))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path / "scripts"))
    assert find_program("cmake") == str(tmp_path / place / "cmake")


def test_the_footprint_of_a_rebuilt_image_is_the_same(nucleo_firmware: Firmware) -> None:
    assert read_footprint(nucleo_firmware.elf) == nucleo_firmware.footprint
