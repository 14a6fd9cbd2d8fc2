"""Rules of the cycle models against cycles counted by hand, and their published errors: `python -m tests.bench.cycles`.

Needs no compiler, no emulator and no code of others. With --docs the table is put into docs/cycle-models.md.
"""

from __future__ import annotations

import argparse

from sq_micro.paths import project_files, write_atomically
from sq_micro.simulate.cycles.decode import Decoder
from sq_micro.simulate.cycles.model import CycleModel
from sq_micro.simulate.cycles.table import CycleTable, cycle_tables
from tests.unit.simulate.core_kernels import CORE_KERNELS
from tests.unit.simulate.timed_kernels import KERNELS

DOCUMENT = project_files() / "docs" / "cycle-models.md"
_BEGIN, _END = "<!-- table -->\n", "<!-- /table -->\n"
_ADDRESS = 0x0800_0000
_BRANCHES = ("b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh")


def rules(table: CycleTable) -> tuple[int, int]:
    """(right, tried) rules of a core: kernels whose modelled cycles are those counted by hand."""
    model = CycleModel(table)
    results = []
    for kernel in CORE_KERNELS:
        if kernel.core in table.cores:
            cost = model.block_cost(bytes.fromhex(kernel.code), _ADDRESS)
            results.append(
                (cost.cycles, cost.taken_cycles, cost.mispredicted_cycles)
                == (kernel.cycles, kernel.taken, kernel.mispredicted)
            )
    if "cortex-m4" in table.cores:
        straight = [k for k in KERNELS if not _branches(k.code)]  # the others are several blocks, and need an emulator
        results += [model.block_cost(kernel.code, _ADDRESS).cycles == kernel.cycles for kernel in straight]
    return sum(results), len(results)


def _branches(code: bytes) -> bool:
    return any(i.mnemonic in _BRANCHES or i.to_pc for i in Decoder().decode(code, _ADDRESS))


def table_text() -> str:
    """The table as Markdown."""
    lines = [
        "| core | trust | rules as counted by hand | error against silicon | measured by |",
        "|---|---|--:|---|---|",
    ]
    for table in sorted(cycle_tables(), key=lambda table: table.title):
        right, tried = rules(table)
        lines.append(f"| {table.title} | {table.label} | {right} of {tried} | {table.error} | {table.error_source} |")
    return "\n".join(lines) + "\n"


def document_with(text: str) -> str:
    """The document with the table in it."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
    return f"{before}{_BEGIN}{text}{_END}{rest.partition(_END)[2]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", action="store_true", help=f"write the table to {DOCUMENT.name}")
    text = table_text()
    if parser.parse_args().docs:
        write_atomically(DOCUMENT, document_with(text))
    print(text, end="")


if __name__ == "__main__":
    main()
