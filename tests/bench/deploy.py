"""`make bench`: how long a deployment takes, how fast the simulated core is, and how large the firmware's code is.

Times are of this machine; sizes and cycles are exact. Networks that are not on this machine are left out, by name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sq_micro.board import load_board
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from tests.bench.readme import replace_block

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
BOARD = "nucleo_l4r5zi"
WEIGHT_BITS = ("8", "6", "4")


@dataclass(frozen=True)
class Deployment:
    """One `sq-micro deploy`; seconds and peak memory are of the whole process tree."""

    network: str
    bits: str
    seconds: float
    peak_mib: float
    result: dict  # result.json
    mips: float


def main() -> None:
    """Deploy what is there and print one table."""
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "digits-samples"
        subprocess.run([sys.executable, ROOT / "examples/digits/samples.py", samples], check=True)
        cases = [("digits", ROOT / "examples/digits/digits.keras", samples)]
        for name in ("fmnist_cnn", "dscnn_kws", "resnet8_cifar10"):
            if (DATA / name).is_dir():
                cases.append((name, DATA / name / "model.keras", DATA / name))
            else:
                print(f"{name}: not on this machine, left out")
        deployments = [
            deploy(name, model, data, bits, Path(folder) / f"{name}-{bits}")
            for name, model, data in cases
            for bits in WEIGHT_BITS
        ]
    Console(width=150).print(table(deployments))
    if "--readme" in sys.argv:
        replace_block("numbers", markdown(deployments))


def deploy(name: str, model: Path, data: Path, bits: str, out: Path) -> Deployment:
    """Run the command in a process of its own, 100 golden samples and all labelled ones."""
    command = [sys.executable, "-m", "sq_micro", "deploy", model, "--board", BOARD, "--weight-bits", bits, "--out", out]
    command += ["--calibrate", data / "calib.npz", "--evaluate", data / "eval.npz", "--json"]
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{name} at {bits} bits: sq-micro ended with {os.waitstatus_to_exitcode(status)}")
    result = json.loads((out / "result.json").read_text())
    return Deployment(name, bits, seconds, usage.ru_maxrss / 1024, result, simulated_mips(out))


def simulated_mips(out: Path, runs: int = 20) -> float:
    """Instructions of the firmware that the simulated core executes in a microsecond, counting and link included."""
    with Session(SimulatorLink(out / "firmware.elf", load_board(BOARD).source_file)) as session:
        link = session.link
        assert isinstance(link, SimulatorLink)
        data = bytes(session.hello.input_bytes)
        session.write_input(data)
        session.invoke()  # translates the code
        before, start = link.counters().instructions, time.perf_counter()
        for _ in range(runs):
            session.write_input(data)
            session.invoke()
        elapsed = time.perf_counter() - start
        return (link.counters().instructions - before) / elapsed / 1e6


def markdown(deployments: list[Deployment]) -> str:
    """What does not depend on the machine, for the README."""
    lines = [
        "| network | weight bits | accuracy (float) | packed weights | flash | code in it | SRAM | modelled latency |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for run in deployments:
        result = run.result
        accuracy, flash = result["accuracy"], result["memory"]["flash_bytes"]
        quantized = f"{accuracy['quantized']:.2%} ({accuracy['float']:.2%})"
        lines.append(
            f"| {run.network} | {run.bits} | {quantized} | {flash['weights']:,} B"
            f" | {flash['total']:,} B | {flash['code']:,} B | {result['memory']['sram_bytes']['total']:,} B"
            f" | {result['measurement']['latency_s'] * 1e3:,.1f} ms |"
        )
    return "\n".join(lines)


def table(deployments: list[Deployment]) -> Table:
    """One line a deployment."""
    found = Table(title="deployments to the simulated NUCLEO-L4R5ZI", title_justify="left")
    found.add_column("network")
    for column in (
        "bits",
        "time",
        "peak memory",
        "float",
        "quantized",
        "cycles (modelled)",
        "weights",
        "code",
        "SRAM",
        "MIPS",
    ):
        found.add_column(column, justify="right")
    for run in deployments:
        result = run.result
        flash, sram = result["memory"]["flash_bytes"], result["memory"]["sram_bytes"]
        found.add_row(
            run.network,
            run.bits,
            f"{run.seconds:.1f} s",
            f"{run.peak_mib:,.0f} MiB",
            f"{result['accuracy']['float']:.2%}",
            f"{result['accuracy']['quantized']:.2%}",
            f"{result['measurement']['cycles']['median']:,}",
            f"{flash['weights']:,} B",
            f"{flash['code']:,} B",
            f"{sram['total']:,} B",
            f"{run.mips:,.0f}",
        )
    return found


if __name__ == "__main__":
    main()
