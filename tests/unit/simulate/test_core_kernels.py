"""Each rule of each core's cycle table, on code whose cycles were counted by hand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sq_micro.simulate.cycles.model import CycleModel
from sq_micro.simulate.cycles.table import cycle_tables, load_cycle_table
from tests.bench.cycles import DOCUMENT, document_with, rules, table_text
from tests.unit.simulate.core_kernels import CORE_KERNELS, CoreKernel

ADDRESS = 0x0800_0000
_RISCV = ("hazard3", "sifive-e31", "esp32-c3")


@pytest.mark.parametrize("kernel", CORE_KERNELS, ids=str)
def test_rule(kernel: CoreKernel) -> None:
    cost = CycleModel(load_cycle_table(kernel.core)).block_cost(bytes.fromhex(kernel.code), ADDRESS)
    assert (cost.cycles, cost.taken_cycles, cost.mispredicted_cycles) == (
        kernel.cycles,
        kernel.taken,
        kernel.mispredicted,
    ), kernel.assembly


def test_every_core_has_kernels() -> None:
    assert {kernel.core for kernel in CORE_KERNELS} | {"cortex-m4"} == {
        core for table in cycle_tables() for core in table.cores
    }


@pytest.mark.parametrize("core", ["hazard3", "cortex-m3"])
def test_a_straddling_target_of_a_branch_costs_one_more(core: str) -> None:
    code = bytes.fromhex("13051500" if core == "hazard3" else "4fea0401")
    model = CycleModel(load_cycle_table(core))
    assert model.block_cost(code, ADDRESS).entry_cycles == 0
    assert model.block_cost(code, ADDRESS + 2).entry_cycles == 1


def assemble(core: str, assembly: str, folder: Path) -> bytes:
    prefix = "riscv64-unknown-elf-" if core in _RISCV else "arm-none-eabi-"
    options = ("-march=rv32imac", "-mabi=ilp32", "-misa-spec=2.2")
    if core not in _RISCV:
        options = (f"-mcpu={core.replace('+', 'plus')}", "-mthumb")
    head = "" if core in _RISCV else ".syntax unified\n.thumb\n"
    (folder / "kernel.s").write_text(head + assembly.replace(";", "\n") + "\n")
    subprocess.run([f"{prefix}gcc", *options, "-c", "kernel.s", "-o", "kernel.o"], cwd=folder, check=True)
    subprocess.run(
        [f"{prefix}objcopy", "-O", "binary", "-j", ".text", "kernel.o", "kernel.bin"], cwd=folder, check=True
    )
    return (folder / "kernel.bin").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("core", sorted({kernel.core for kernel in CORE_KERNELS}))
def test_the_bytes_are_what_the_assembler_makes(core: str, tmp_path: Path) -> None:
    compiler = "riscv64-unknown-elf-gcc" if core in _RISCV else "arm-none-eabi-gcc"
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    for kernel in CORE_KERNELS:
        if kernel.core == core:
            assert assemble(core, kernel.assembly, tmp_path).hex() == kernel.code, kernel.rule


def test_the_published_table_is_the_one_that_the_benchmark_prints() -> None:
    text = table_text()
    assert document_with(text) == DOCUMENT.read_text(encoding="utf-8"), "run make bench-cycles"
    for table in cycle_tables():
        right, tried = rules(table)
        assert right == tried > 5, table.title
