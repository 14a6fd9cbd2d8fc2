"""Starts the official runner with a simulated device among its serial ports.

The runner looks for USB ids, which a pseudo-terminal has not; a line of Python in front of it adds the port to the list
that pyserial gives. Nothing of the runner is changed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from sq_micro.errors import UsageError
from sq_micro.measure.link.run_program import run_in_foreground
from sq_micro.measure.mlperf.files import SIMULATED_USB_ID

Mode = Literal["p", "a"]

_SHIM = """
import runpy, sys
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo
port, vendor, product, main = sys.argv[1], int(sys.argv[2], 16), int(sys.argv[3], 16), sys.argv[4]
found = list_ports.comports
def with_ours(*arguments, **options):
    ours = ListPortInfo(port)
    ours.vid, ours.pid, ours.description = vendor, product, "simulated device"
    return [ours, *found(*arguments, **options)]
list_ports.comports = with_ours
sys.argv = [main, *sys.argv[5:]]
sys.path.insert(0, main.rpartition("/")[0])
runpy.run_path(main, run_name="__main__")
"""


def runner_command(runner: Path, folder: Path, port: str, mode: Mode, python: str = sys.executable) -> tuple[str, ...]:
    """What starts the runner. Raises UsageError iff it is not there.

    runner  the folder benchmark/runner of a checkout of mlcommons/tiny
    folder  where `prepare` has put the runner's files
    python  that has what the runner imports
    """
    main = runner.resolve() / "main.py"
    if not main.is_file():
        raise UsageError(f"--runner {runner}: no main.py there; give benchmark/runner of a checkout of mlcommons/tiny")
    vendor, product = SIMULATED_USB_ID.split(":")
    script = "tests_performance.yaml" if mode == "p" else "tests_accuracy.yaml"
    return (
        *(python, "-c", _SHIM, port, vendor, product, main.as_posix()),
        *("--dataset_path", str(folder / "dataset"), "--device_list", str(folder / "devices_simulated.yaml")),
        *("--test_script", str(folder / script), "--mode", mode),
    )


def run_official(runner: Path, folder: Path, port: str, mode: Mode, python: str | None = None) -> int:
    """Run it to its end, in `folder`, where it leaves its sessions; its exit code."""
    return run_in_foreground(runner_command(runner, folder, port, mode, python or sys.executable), folder)
