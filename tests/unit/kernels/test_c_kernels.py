"""The C kernels: tested under the sanitizers and on an emulated Cortex-M4, and clean with the compilers for it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sq_micro.paths import project_files

FIRMWARE = project_files() / "firmware"
C_TESTS = Path(__file__).parents[2] / "firmware"
PROGRAMS = sorted(C_TESTS.glob("test_*.c"))
HEADERS = sorted((FIRMWARE / "kernels").rglob("*.h"))

STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{FIRMWARE}", f"-I{FIRMWARE / 'include'}"]
SANITIZED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
BARE = ["-ffreestanding", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"]
ARM_GCC = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"]
ZIG = [sys.executable, "-m", "ziglang", "cc", "-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4"]

needs_arm_gcc = pytest.mark.skipif(not shutil.which(ARM_GCC[0]), reason="arm-none-eabi-gcc is not installed")
needs_zig = pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed")
needs_qemu = pytest.mark.skipif(not shutil.which("qemu-system-arm"), reason="qemu-system-arm is not installed")


SEMIHOSTING = ["-T", C_TESTS / "semihosting" / "mps2_an386.ld", C_TESTS / "semihosting" / "vectors.c"]
OWN_LIBRARY = [
    *("-nostdlib", "-fno-builtin", f"-I{C_TESTS / 'semihosting' / 'libc'}"),
    *(C_TESTS / "semihosting" / "libc.c", "-lgcc"),
]


def has_newlib() -> bool:
    return Path(run(ARM_GCC[0], "-print-file-name=rdimon.specs").stdout.strip()).is_absolute()


def emulated(elf: Path) -> subprocess.CompletedProcess[str]:
    """What a program of the Cortex-M4 says."""
    machine = ["-M", "mps2-an386", "-nographic", "-semihosting-config", "enable=on,target=native"]
    return run("qemu-system-arm", *machine, "-kernel", elf)


def host_compiler(name: str) -> str:
    """The compiler on PATH; Debian's clang may have its version in its name. Skips where there is none."""
    versioned = (f"{name}-{version}" for version in range(25, 12, -1))
    found = next((path for candidate in (name, *versioned) if (path := shutil.which(candidate))), None)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=timeout_s, check=False)


def compile_c(*command: str | Path) -> None:
    done = run(*command)
    assert done.returncode == 0, done.stderr


def require_ok(program: Path, done: subprocess.CompletedProcess[str]) -> None:
    """A program that ends early has no such line."""
    said = f"{program.stem.removeprefix('test_')}: ok\n"
    assert (done.returncode, done.stdout) == (0, said), done.stdout + done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_c_tests_pass_under_the_sanitizers(program: Path, compiler: str, tmp_path: Path) -> None:
    compile_c(host_compiler(compiler), *STRICT, *SANITIZED, program, "-lm", "-o", tmp_path / "program")
    done = run(tmp_path / "program")
    assert (done.returncode, done.stdout) == (0, f"{program.stem.removeprefix('test_')}: ok\n"), (
        done.stdout + done.stderr
    )


def test_a_difference_is_reported_and_fails(tmp_path: Path) -> None:
    """The kernel that the test is given on purpose takes the last code for 0."""
    broken = tmp_path / "broken.c"
    broken.write_text(
        '#include "kernels/portable_c/meta.h"\n'
        "static int32_t broken(const int8_t *x, int32_t input_offset, const uint8_t *row, int32_t k)\n"
        "{\n    return sqm_dot_s8_w8_1x1__c(x, input_offset, row, k - 1);\n}\n"
        "#define sqm_dot_s8_w8_1x1__c broken\n"
        f'#include "{C_TESTS / "test_kernels.c"}"\n'
    )
    compile_c(host_compiler("gcc"), *STRICT, "-O1", f"-I{C_TESTS}", broken, "-o", tmp_path / "broken")
    done = run(tmp_path / "broken")
    assert done.returncode == 1
    assert re.search(r"dot_s8_w8_1x1__c: at 1: got 0, expected -?\d+ \(seed \d+\)\n", done.stdout)


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: str(path.relative_to(FIRMWARE / "kernels")))
def test_a_header_includes_what_it_uses(header: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.c"
    alone.write_text(f'#include "{header.relative_to(FIRMWARE).as_posix()}"\n')
    if "armv7em_dsp" in header.parts and not shutil.which(ARM_GCC[0]):
        pytest.skip("arm-none-eabi-gcc is not installed")
    compiler = ARM_GCC if "armv7em_dsp" in header.parts else [host_compiler("gcc")]
    compile_c(*compiler, *STRICT, "-fsyntax-only", alone)


def undefined_symbols(object_file: Path) -> str:
    """What an object expects of others; needs binutils."""
    return run("arm-none-eabi-nm", "-u", object_file).stdout


@needs_arm_gcc
@pytest.mark.parametrize("level", ["-O0", "-Og", "-O2", "-O3", "-Os"])
def test_cortex_m4_code_calls_no_library(level: str, tmp_path: Path) -> None:
    """No heap, no floating point, no 64-bit division, no memcpy behind our back."""
    every = tmp_path / "every.o"
    compile_c(*ARM_GCC, *STRICT, *BARE, level, "-c", C_TESTS / "every_kernel.c", "-o", every)
    assert undefined_symbols(every) == ""


@needs_zig
@pytest.mark.parametrize("level", ["-O2", "-Os"])
def test_zig_compiles_every_kernel_for_cortex_m4(level: str, tmp_path: Path) -> None:
    every = tmp_path / "every.o"
    compile_c(*ZIG, *STRICT, *BARE, level, "-c", C_TESTS / "every_kernel.c", "-o", every)
    if shutil.which("arm-none-eabi-nm"):
        assert undefined_symbols(every) == ""


HARD_FLOAT = ["-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
DSP_COMPILERS = [
    *(pytest.param([*ARM_GCC, *HARD_FLOAT, level], marks=needs_arm_gcc) for level in ("-O0", "-Og", "-O2", "-Os")),
    pytest.param([*ARM_GCC, "-mfloat-abi=soft", "-O2"], marks=needs_arm_gcc),
    pytest.param([*ZIG, "-O2"], marks=needs_zig),
    pytest.param([*ZIG[:-1], f"{ZIG[-1]}+vfp4d16sp", "-Os"], marks=needs_zig),
]


@pytest.mark.parametrize("compiler", DSP_COMPILERS, ids=lambda command: " ".join(command[-2:]))
def test_dsp_kernels_call_no_library(compiler: list[str], tmp_path: Path) -> None:
    """Their parameters unknown, with the FPU's registers as parking places and without."""
    server = C_TESTS / "kernel_server" / "main.c"
    compile_c(*compiler, *STRICT, *BARE, "-c", server, "-o", tmp_path / "server.o")
    if shutil.which("arm-none-eabi-nm"):
        assert set(re.findall(r"U (\S+)", undefined_symbols(tmp_path / "server.o"))) == {
            *("sqm_soc_start", "sqm_uart_open", "sqm_uart_read", "sqm_uart_write", "sqm_uart_flush")
        }


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("level", ["-O2", "-Os"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_c_tests_pass_on_an_emulated_cortex_m4(program: Path, level: str, tmp_path: Path) -> None:
    """There SQM_SATURATE_S8 is an instruction, and the loads go to unaligned addresses."""
    if "math.h" in program.read_text(encoding="utf-8") and not has_newlib():
        pytest.skip("newlib is not installed")
    library = ["-specs=rdimon.specs", "-lm"] if has_newlib() else OWN_LIBRARY
    compile_c(*ARM_GCC, *STRICT, level, program, *SEMIHOSTING, *library, "-o", tmp_path / "program.elf")
    require_ok(program, emulated(tmp_path / "program.elf"))


ARMV6M = ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb"]
ZIG_ARMV6M = [*ZIG[:-2], "thumb-freestanding-eabi", "-mcpu=cortex_m0plus"]


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize(
    "program",
    ["test_requantize.c", *(pytest.param(name, marks=pytest.mark.long) for name in ("test_kernels.c", "test_nests.c"))],
)
def test_c_tests_pass_in_the_instructions_of_a_cortex_m0plus(program: str, tmp_path: Path) -> None:
    """Which has products of 32 bits alone, and pairs of channels in assembly. A Cortex-M4 runs them, too."""
    source, elf = C_TESTS / program, tmp_path / "program.elf"
    library = [*OWN_LIBRARY, f"-I{C_TESTS}"]
    compile_c(*ARMV6M, *STRICT, "-O2", source, *SEMIHOSTING, *library, "-o", elf)
    require_ok(source, emulated(elf))


@needs_arm_gcc
@needs_zig
@needs_qemu
@pytest.mark.qemu
def test_zig_takes_the_assembly_of_a_cortex_m0plus(tmp_path: Path) -> None:
    objects = []
    for source in (C_TESTS / "test_kernels.c", *(C_TESTS / "semihosting" / name for name in ("vectors.c", "libc.c"))):
        objects.append(tmp_path / f"{source.stem}.o")
        include = [f"-I{C_TESTS}", f"-I{C_TESTS / 'semihosting' / 'libc'}"]
        compile_c(*ZIG_ARMV6M, *STRICT, *BARE, "-fno-builtin", "-O2", *include, "-c", source, "-o", objects[-1])
    linked = ["-nostdlib", "-T", C_TESTS / "semihosting" / "mps2_an386.ld", *objects, "-lgcc"]
    compile_c(*ARMV6M, *linked, "-o", tmp_path / "program.elf")
    require_ok(C_TESTS / "test_kernels.c", emulated(tmp_path / "program.elf"))


DSP_PROGRAMS = sorted((C_TESTS / "armv7em_dsp").glob("test_*.c"))
DSP_FLAGS = ["-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]


def require_dsp_ok(program: Path, folder: Path, *flags: str, compiler: tuple[str, ...] = ()) -> None:
    elf = folder / "program.elf"
    command = compiler or (*ARM_GCC, *DSP_FLAGS)
    compile_c(*command, *STRICT, *flags, f"-I{C_TESTS}", program, *SEMIHOSTING, *OWN_LIBRARY, "-o", elf)
    require_ok(program, emulated(elf))


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("level", ["-O2", "-Os"])
@pytest.mark.parametrize("program", DSP_PROGRAMS, ids=lambda path: path.stem)
def test_dsp_nests_pass_on_an_emulated_cortex_m4(program: Path, level: str, tmp_path: Path) -> None:
    require_dsp_ok(program, tmp_path, level)


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("program", DSP_PROGRAMS, ids=lambda path: path.stem)
def test_dsp_nests_pass_without_the_fpu(program: Path, tmp_path: Path) -> None:
    """There the words that the FPU's registers hold lie on the stack."""
    require_dsp_ok(program, tmp_path, "-O2", "-DCASES=20", compiler=(*ARM_GCC, "-mfloat-abi=soft"))


@needs_zig
@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("program", DSP_PROGRAMS, ids=lambda path: path.stem)
def test_dsp_nests_of_zig_pass_on_an_emulated_cortex_m4(program: Path, tmp_path: Path) -> None:
    """Compiled by clang; libgcc helps out where gcc lies."""
    objects = []
    for source in (program, *(C_TESTS / "semihosting" / name for name in ("vectors.c", "libc.c"))):
        objects.append(tmp_path / f"{source.stem}.o")
        include = [f"-I{C_TESTS}", f"-I{C_TESTS / 'semihosting' / 'libc'}"]
        cpu = [*ZIG[:-1], "-mcpu=cortex_m4+vfp4d16sp"]
        compile_c(*cpu, *STRICT, *BARE, "-fno-builtin", "-O2", *include, "-c", source, "-o", objects[-1])
    linked = ["-nostdlib", "-T", C_TESTS / "semihosting" / "mps2_an386.ld", *objects, "-lgcc"]
    compile_c(*ARM_GCC, *DSP_FLAGS, *linked, "-o", tmp_path / "program.elf")
    require_ok(program, emulated(tmp_path / "program.elf"))


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("program", DSP_PROGRAMS, ids=lambda path: path.stem)
def test_dsp_nests_pass_with_many_seeds(program: Path, seed: int, tmp_path: Path) -> None:
    require_dsp_ok(program, tmp_path, "-O2", "-DCASES=600", f"-DSEED={seed}u")


@needs_arm_gcc
@needs_qemu
@pytest.mark.qemu
def test_a_difference_of_a_dsp_nest_is_reported(tmp_path: Path) -> None:
    """A kernel that takes the lower row's last weight for the one before."""
    copied = shutil.copytree(FIRMWARE, tmp_path / "firmware")
    header = copied / "kernels" / "armv7em_dsp" / "depthwise3x3.h"
    header.write_text(header.read_text(encoding="utf-8").replace("smlabt r11", "smlabb r11"), encoding="utf-8")
    flags = [flag.replace(str(FIRMWARE), str(copied)) for flag in STRICT]
    source = C_TESTS / "armv7em_dsp" / "test_dsp_nests.c"
    command = [*ARM_GCC, *DSP_FLAGS, *flags, "-O2", "-DCASES=2", f"-I{C_TESTS}", source, *SEMIHOSTING, *OWN_LIBRARY]
    compile_c(*command, "-o", tmp_path / "program.elf")
    done = emulated(tmp_path / "program.elf")
    assert done.returncode == 1
    assert re.search(r"depthwise3x3, \d bits, requantize \d: first difference at \d+: got -?\d+, expected", done.stdout)


def test_kernels_have_no_floating_point_and_no_heap() -> None:
    for header in HEADERS:
        code = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"\b(float|double|malloc|calloc|free|alloca)\b", code), header
