from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.errors import ToolchainError
from sq_micro.simulate.counters import BlockCounts
from sq_micro.simulate.cycles.model import CycleModel
from sq_micro.simulate.cycles.table import load_cycle_table
from sq_micro.simulate.image import load_image
from sq_micro.simulate.qemu_counts import build_plugin, plugin_argument, read_counts
from tests.unit.simulate.bare_elf import write_elf
from tests.unit.simulate.child_run import Child

COLUMNS = "address,bytes,executions,fall_out,fall_in,mispredicted\n"
MODEL = CycleModel(load_cycle_table("cortex-m4"))

# Sorts numbers of a pseudo-random sequence, divides and multiplies them; the window is what lies between the two calls
# of sqm_cycles_now. Ends by semihosting, which the simulator and QEMU both take.
PROGRAM = """
#include <stdint.h>
extern uint32_t stack_top[];
void reset(void);
__attribute__((section(".vectors"), used)) static void *const vectors[2] = {stack_top, (void *)reset};
#define REGISTER(address) (*(volatile uint32_t *)(address))
__attribute__((noinline)) uint32_t sqm_cycles_now(void) { return REGISTER(0xE0001004u); }
static uint32_t numbers[200];
static uint64_t sum;
static __attribute__((noinline)) void fill(uint32_t seed)
{
    for (int i = 0; i < 200; i++) { seed = seed * 1664525u + 1013904223u; numbers[i] = seed >> 8; }
}
static __attribute__((noinline)) void sort(void)
{
    for (int i = 1; i < 200; i++) {
        uint32_t value = numbers[i];
        int j = i;
        for (; j > 0 && numbers[j - 1] > value; j--) numbers[j] = numbers[j - 1];
        numbers[j] = value;
    }
}
static __attribute__((noinline)) void add_up(void)
{
    for (int i = 0; i < 200; i++) sum += (uint64_t)numbers[i] * (numbers[i] % 7u) / 3u;
}
void reset(void)
{
    sqm_cycles_now();
    for (uint32_t seed = 1; seed < 20; seed++) { fill(seed); sort(); add_up(); }
    sqm_cycles_now();
    fill(99);
    sort();
    register uint32_t operation __asm("r0") = 0x18;
    register uint32_t reason __asm("r1") = 0x20026;
    __asm volatile("bkpt 0xab" : : "r"(operation), "r"(reason));
    for (;;) { }
}
"""
LINKER = """
ENTRY(reset)
SECTIONS {
  .text 0x0 : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
  .bss 0x20000000 (NOLOAD) : { *(.bss*) *(COMMON) }
  stack_top = 0x20008000;
}
"""


def qemu() -> Path:
    found = shutil.which("qemu-system-arm")
    if found is None:
        pytest.skip("qemu-system-arm is not installed")
    return Path(found)


def run_in_qemu(elf: Path, folder: Path, marker: int | None = None) -> tuple[BlockCounts, ...]:
    csv = folder / "counts.csv"
    argument = plugin_argument(build_plugin(qemu()), csv, marker)
    subprocess.run(
        [str(qemu()), "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "none",
         "-semihosting-config", "enable=on,target=native", "-kernel", str(elf), "-plugin", argument],
        check=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return read_counts(csv)


@pytest.fixture(scope="module")
def sorting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    folder = tmp_path_factory.mktemp("sorting")
    (folder / "sort.c").write_text(PROGRAM)
    (folder / "sort.ld").write_text(LINKER)
    subprocess.run(
        ["arm-none-eabi-gcc", "-O2", "-mcpu=cortex-m4", "-mthumb", "-ffreestanding", "-nostartfiles", "-nostdlib",
         "-Wl,-T,sort.ld", "sort.c", "-lgcc", "-o", "sort.elf"],
        cwd=folder, check=True,
    )  # fmt: skip
    return folder / "sort.elf"


@pytest.mark.qemu
@pytest.mark.simulator
def test_unicorn_and_qemu_count_the_same(sorting: Path, tmp_path: Path) -> None:
    pytest.importorskip("unicorn", reason="unicorn is not installed")
    image = load_image(sorting)
    (at_exit,) = run_in_qemu(sorting, tmp_path)
    in_qemu = MODEL.totals(at_exit, image.read)
    with Child(sorting, "mps2_an386") as child:
        in_unicorn = child.counters()
    assert in_qemu.instructions > 100_000
    assert in_unicorn["instructions"] == pytest.approx(in_qemu.instructions, rel=1e-3)
    assert in_unicorn["cycles"] == pytest.approx(in_qemu.cycles, rel=1e-3)


@pytest.mark.qemu
@pytest.mark.simulator
def test_the_window_between_two_markers_is_that_between_two_reads(sorting: Path, tmp_path: Path) -> None:
    pytest.importorskip("unicorn", reason="unicorn is not installed")
    image = load_image(sorting)
    counts = run_in_qemu(sorting, tmp_path, image.symbols["sqm_cycles_now"])
    first, second, at_exit = (MODEL.totals(count, image.read) for count in counts)
    assert first.instructions < 10, "nothing is counted before the first call"
    assert at_exit.instructions > second.instructions, "and everything after it"
    with Child(sorting, "mps2_an386") as child:
        before, after = child.counters()["reads"]
    assert after[0] - before[0] == pytest.approx(second.instructions - first.instructions, rel=1e-3)
    assert after[1] - before[1] == pytest.approx(second.cycles - first.cycles, rel=1e-3)


@pytest.mark.qemu
def test_counts_of_machine_code_need_no_compiler_for_arm(tmp_path: Path) -> None:
    # movs r1, #10; 1: subs r1, #1; bne 1b; movs r0, #0x18; movw r1, #0x26; movt r1, #2; bkpt 0xab
    code = bytes.fromhex("0a21013 9fdd1182040f22601c0f20201abbe".replace(" ", ""))
    elf = write_elf(tmp_path / "loop.elf", code, load_board("mps2_an386").flash.origin)  # type: ignore[union-attr]
    totals = MODEL.totals(run_in_qemu(elf, tmp_path)[-1], load_image(elf).read)
    assert totals.instructions == 1 + 2 * 10 + 4


def test_a_path_with_a_comma_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="comma"):
        plugin_argument(tmp_path / "plugin.so", tmp_path / "a,b.csv")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "wrote no counts"),
        ("", "not a whole file"),
        (f"{COLUMNS}# marker lost=0 current=-1\n", "did QEMU crash"),
        ("a,b\n# exit lost=0 current=-1\n", "not a whole file"),
        (f"{COLUMNS}# exit lost=0 current=-1\n1,2\n", "not a file of block counts"),
        (f"{COLUMNS}# exit lost=3 current=-1\n", "more basic blocks"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: str | None, problem: str) -> None:
    csv = tmp_path / "counts.csv"
    if content is not None:
        csv.write_text(content)
    with pytest.raises(ToolchainError, match=problem):
        read_counts(csv)


def test_a_file_of_counts(tmp_path: Path) -> None:
    csv = tmp_path / "counts.csv"
    csv.write_text(
        f"{COLUMNS}# marker lost=0 current=1\n4096,8,0,0,0,0\n256,8,1,0,0,0\n"
        "# exit lost=0 current=2\n4096,8,0,0,0,0\n256,8,2,1,0,0\n264,4,1,0,1,1\n"
    )
    first, second = read_counts(csv)
    assert first.rows.tolist() == [[256, 8, 1, 0, 0, 0]]
    assert first.current == 0
    assert second.rows.tolist() == [[256, 8, 2, 1, 0, 0], [264, 4, 1, 0, 1, 1]]
    assert second.current == 1
