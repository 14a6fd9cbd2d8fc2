"""A firmware around a model that reverses its input, built as any other but written by hand, in three operators."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sq_micro.paths import project_files

MODEL_HASH = bytes(range(7, 39)).hex()
MODEL_BYTES = 600  # of input and of output: three frames each way
OPERATORS = 3
STACK_BYTES = 1024

# The first input byte that makes the model touch an address where nothing lives.
FAULT_BYTE = 127
# The one that makes its stack no memory any more.
OVERFLOW_BYTE = 126

_MODEL = r"""
#include <stdint.h>
#include "sqm_fake.h"

static int8_t sqm_fake_arena[2 * SQM_FAKE_BYTES];
static volatile uint32_t sqm_fake_zeroed;            /* .bss: startup has to clear it */
static volatile uint32_t sqm_fake_initialised = 41;  /* .data: startup has to copy it */

int8_t *sqm_fake_input(void)
{
    return sqm_fake_arena;
}

const int8_t *sqm_fake_output(void)
{
    return sqm_fake_arena + SQM_FAKE_BYTES;
}

static void fault_if_asked(void)
{
#if SQM_FAKE_FAULTS
    if (sqm_fake_arena[0] == 127) {
        *(volatile uint32_t *)(uintptr_t)0xA0000004u = 1;
    }
    if (sqm_fake_arena[0] == 126) {
        /* As after an overflow; QEMU has no address below the SRAM of this machine that would fault. */
        __asm volatile("mov r0, #0x60000000\n\tmov sp, r0\n\tpush {r0}");
    }
#endif
}

static void reverse(void)
{
    for (int32_t i = 0; i < SQM_FAKE_BYTES; ++i) {
        sqm_fake_arena[2 * SQM_FAKE_BYTES - 1 - i] = sqm_fake_arena[i];
    }
}

static void consume_input(void)
{
    sqm_fake_zeroed = sqm_fake_zeroed + 1;
    sqm_fake_arena[0] = (int8_t)(sqm_fake_initialised + (sqm_fake_zeroed == 0));
}

void sqm_fake_invoke_operator(int32_t index)
{
    switch (index) {
    case 0:
        fault_if_asked();
        break;
    case 1:
        reverse();
        break;
    default:
        consume_input();
        break;
    }
}

void sqm_fake_invoke(void)
{
    for (int32_t i = 0; i < 3; ++i) {
        sqm_fake_invoke_operator(i);
    }
}
"""

_HEADER = f"""
#ifndef SQM_FAKE_H
#define SQM_FAKE_H
#include <stdint.h>
#define SQM_FAKE_BYTES {MODEL_BYTES}
int8_t *sqm_fake_input(void);
const int8_t *sqm_fake_output(void);
void sqm_fake_invoke(void);
void sqm_fake_invoke_operator(int32_t index);
#endif
"""

_BINDING = f"""
#include "sqm_fake.h"
#define BOUND_NAME "fake"
#define BOUND_HASH {{ {", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(MODEL_HASH))} }}
#define BOUND_INPUT_BYTES SQM_FAKE_BYTES
#define BOUND_OUTPUT_BYTES SQM_FAKE_BYTES
#define BOUND_ARENA_BYTES (2 * SQM_FAKE_BYTES)
#define BOUND_OPERATORS {OPERATORS}
#define BOUND_INPUT() sqm_fake_input()
#define BOUND_OUTPUT() sqm_fake_output()
#define BOUND_ARENA() sqm_fake_input()
#define BOUND_INVOKE() sqm_fake_invoke()
#define BOUND_INVOKE_OPERATOR(index) sqm_fake_invoke_operator(index)
"""

_LINKER = """
MEMORY { FLASH (rx) : ORIGIN = %s, LENGTH = 64K  SRAM (rw) : ORIGIN = 0x20000000, LENGTH = 16K }
ENTRY(sqm_reset)
SECTIONS
{
    .text : { KEEP(*(.sqm_vectors)) *(.text .text.*) *(.rodata .rodata.*) . = ALIGN(4); } > FLASH
    .stack (NOLOAD) : { . = ALIGN(8); sqm_stack_limit = .; . += %d; sqm_stack_top = .; } > SRAM
    .data : { sqm_data_start = .; *(.data .data.*) . = ALIGN(4); sqm_data_end = .; } > SRAM AT > FLASH
    sqm_data_load = LOADADDR(.data);
    .bss (NOLOAD) : { . = ALIGN(4); sqm_bss_start = .; *(.bss .bss.* COMMON) . = ALIGN(4); sqm_bss_end = .; } > SRAM
    sqm_arena_start = sqm_bss_end;
    sqm_arena_end = sqm_bss_end;
    /DISCARD/ : { *(.ARM.exidx* .ARM.extab*) }
}
"""


@dataclass(frozen=True)
class FakeBoard:
    name: str
    soc: str
    uart_driver: str
    cycle_counter: str
    uart_base: str = "0"
    uart_baud: int = 921_600
    clock_hz: int = 0
    flash_origin: str | None = None  # None: a host

    @property
    def is_host(self) -> bool:
        return self.flash_origin is None


HOST = FakeBoard("host", "posix", "posix", "none")
NUCLEO = FakeBoard(
    "nucleo_l4r5zi", "stm32l4r5", "stm32_usart", "dwt", "0x40008000u", clock_hz=120_000_000, flash_origin="0x08000000"
)
MPS2 = FakeBoard("mps2_an386", "mps2", "cmsdk", "dwt", "0x40004000u", 115_200, clock_hz=25_000_000, flash_origin="0x0")

_CORE_FLAGS = "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16"
_BARE = "set(CMAKE_SYSTEM_NAME Generic)\nset(CMAKE_SYSTEM_PROCESSOR arm)\n"


def toolchain_text(board: FakeBoard, compiler: str, command: str) -> str:
    bare = "" if board.is_host else _BARE
    text = f'{bare}set(CMAKE_C_COMPILER "{command}")\nset(CMAKE_C_COMPILER_WORKS TRUE)\n'
    if compiler == "zig" and not board.is_host:
        text += 'set(CMAKE_C_FLAGS_INIT "-target thumb-freestanding-eabihf -mcpu=cortex_m4")\n'
    return text


def build_fake_firmware(
    folder: Path,
    board: FakeBoard,
    compiler: str = "gcc",
    command: str | None = None,
    flags: str = "",
    definitions: tuple[str, ...] = (),
) -> Path:
    """The image's path; `flags` go to the compiler and the linker, `definitions` to CMake.

    Shows the build's output where it fails.
    """
    model, board_dir, build = folder / "model", folder / "board", folder / "build"
    _write(model / "include" / "sqm_fake.h", _HEADER)
    _write(model / "src" / "sqm_fake.c", _MODEL.replace("SQM_FAKE_FAULTS", "0" if board.is_host else "1"))
    _write(board_dir / "sqm_binding.h", _BINDING)
    _write(
        board_dir / "board_config.h",
        f'#define SQM_BOARD_NAME "{board.name}"\n#define SQM_ISA_NAME "armv7em_dsp"\n'
        f"#define SQM_CLOCK_HZ {board.clock_hz}\n#define SQM_UART_BASE {board.uart_base}\n"
        f"#define SQM_UART_BAUD {board.uart_baud}\n"
        f"#define SQM_UART_CLOCK_HZ {board.clock_hz}\n#define SQM_HAS_FPU {int(not board.is_host)}\n",
    )
    _write(
        board_dir / "board.cmake",
        f"set(SQM_ARCHITECTURE {'host' if board.is_host else 'arm'})\n"
        f"set(SQM_CORE_FLAGS {'' if board.is_host else _CORE_FLAGS})\nset(SQM_SOC {board.soc})\n"
        f"set(SQM_UART_DRIVER {board.uart_driver})\nset(SQM_CYCLE_COUNTER {board.cycle_counter})\n",
    )
    if board.flash_origin is not None:
        _write(board_dir / "linker.ld", _LINKER % (board.flash_origin, STACK_BYTES))
    if command is None:
        command = "gcc" if board.is_host else "arm-none-eabi-gcc"
    _write(folder / "toolchain.cmake", toolchain_text(board, compiler, command))
    _run(
        *("cmake", "-S", str(project_files()), "-B", str(build), "-G", "Ninja"),
        *(f"-DCMAKE_TOOLCHAIN_FILE={folder / 'toolchain.cmake'}", f"-DSQM_COMPILER={compiler}"),
        *(f"-DSQM_MODEL_DIR={model}", f"-DSQM_BOARD_DIR={board_dir}", "-DSQM_APP=bench"),
        *((f"-DCMAKE_C_FLAGS={flags}",) if flags else ()),
        *definitions,
    )
    _run("cmake", "--build", str(build))
    return build / ("firmware" if board.is_host else "firmware.elf")


def missing(*programs: str) -> str:
    """Names of those programs that are not on PATH, for the reason of a skip; empty where all are."""
    return ", ".join(program for program in programs if shutil.which(program) is None)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
