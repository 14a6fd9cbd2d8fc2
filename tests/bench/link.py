"""`make bench`: what the host costs beside the wire, and how fast the simulated core is over its link.

The wire is a pseudo-terminal to a firmware for the host whose model takes no time: all time is overhead, that of the
firmware and of the operating system included, and is compared with what the same bytes take at 921,600 baud.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sq_micro.board import load_board
from sq_micro.measure.link.serial_link import SerialLink
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from tests.unit.measure.bridges import on_pty
from tests.unit.measure.fake_firmware import HOST, MODEL_BYTES, build_fake_firmware

ROOT = Path(__file__).resolve().parents[2]
DSCNN = ROOT.parent / "shared" / "data" / "dscnn_kws"
BAUD = 921_600
BITS_A_BYTE = 10  # 8N1
INFERENCES = 1000


class CountedLink(SerialLink):
    """Counts the bytes, both ways."""

    moved_bytes = 0

    def read(self, count: int, timeout_s: float) -> bytes:
        data = super().read(count, timeout_s)
        self.moved_bytes += len(data)
        return data

    def read_until(self, end: bytes, most: int, timeout_s: float) -> bytes:
        data = super().read_until(end, most, timeout_s)
        self.moved_bytes += len(data)
        return data

    def write(self, data: bytes) -> None:
        self.moved_bytes += len(data)
        super().write(data)


@dataclass(frozen=True)
class Overhead:
    """Of one inference, in seconds: all but the wire, the wire, and the processor time of this process."""

    other_s: float
    wire_s: float
    host_cpu_s: float

    def __str__(self) -> str:
        return (
            f"link at {BAUD:,} baud, {MODEL_BYTES} B in and out: wire {self.wire_s * 1e3:.2f} ms,"
            f" everything else {self.other_s * 1e3:.2f} ms ({self.other_s / self.wire_s:.1%} of it),"
            f" host's processor time {self.host_cpu_s * 1e3:.2f} ms ({self.host_cpu_s / self.wire_s:.1%})"
        )


def link_overhead() -> Overhead:
    """Mean of many inferences."""
    sample = np.random.default_rng(0).integers(-128, 126, MODEL_BYTES).astype(np.int8).tobytes()
    with tempfile.TemporaryDirectory() as folder:
        program = build_fake_firmware(Path(folder), HOST)
        with on_pty([str(program)]) as bridge:
            link = CountedLink(bridge.url, BAUD)
            with Session(link) as session:
                session.run(sample)
                link.moved_bytes = 0
                start, cpu = time.perf_counter(), time.process_time()
                for _ in range(INFERENCES):
                    session.run(sample)
                elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    wire = link.moved_bytes * BITS_A_BYTE / BAUD
    return Overhead(elapsed / INFERENCES, wire / INFERENCES, cpu / INFERENCES)


def simulated_ds_cnn() -> str:
    """Seconds for a thousand whole inferences, inputs and outputs included."""
    if not DSCNN.is_dir():
        return "dscnn_kws: not on this machine, left out"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sq_micro", "deploy", DSCNN / "model.keras", "--board", "nucleo_l4r5zi"]
        command += ["--calibrate", DSCNN / "calib.npz", "--evaluate", DSCNN / "eval.npz", "--out", folder, "--json"]
        command += ["--weight-bits", "4", "--runs", "1"]
        subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL, check=True)
        cycles = json.loads((Path(folder) / "result.json").read_text())["measurement"]["cycles"]["median"]
        inputs = np.load(Path(folder) / "07_golden.npz")["inputs"].reshape(-1, 490)
        with Session(SimulatorLink(Path(folder) / "firmware.elf", load_board("nucleo_l4r5zi").source_file)) as session:
            start = time.perf_counter()
            for run in range(INFERENCES):
                session.run(inputs[run % len(inputs)].tobytes())
            elapsed = time.perf_counter() - start
    return f"{INFERENCES:,} simulated DS-CNN inferences (4 bits, {cycles:,} cycles each): {elapsed:.1f} s"


def main() -> None:
    """Print both."""
    print(link_overhead())
    print(simulated_ds_cnn())


if __name__ == "__main__":
    main()
