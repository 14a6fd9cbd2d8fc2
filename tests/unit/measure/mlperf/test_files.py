"""The files that the official runner reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sq_micro.board import load_board
from sq_micro.errors import UsageError
from sq_micro.measure.mlperf.files import devices_yaml, loop_count, script_yaml, write_dataset
from sq_micro.measure.mlperf.official import runner_command
from tests.mlperf.client import dataset

BOARD = load_board("nucleo_l4r5zi")


@pytest.mark.parametrize(("latency_s", "inferences"), [(0.1187, 87), (0.001, 10_300), (2.0, 6)])
def test_a_window_is_a_little_over_ten_seconds(latency_s: float, inferences: int) -> None:
    assert loop_count(latency_s) == inferences
    assert 10.0 <= inferences * latency_s < 30.0


@pytest.mark.parametrize("latency_s", [3.1, 20.0])
def test_what_the_runner_would_not_wait_for_is_refused(latency_s: float) -> None:
    with pytest.raises(UsageError, match="30 s for a line"):
        loop_count(latency_s)


def test_the_device_is_found_by_its_usb_id() -> None:
    text = devices_yaml(BOARD, 115_200, simulated=False)
    assert "  usb:\n    0x0483:\n      - 0x374b\n" in text
    assert "  check_name: nucleo_l4r5zi\n" in text
    assert "    performance: 115200\n" in text
    assert "0x1209:\n      - 0x0001" in devices_yaml(BOARD, 115_200, simulated=True)
    with pytest.raises(UsageError, match="no usb_ids"):
        devices_yaml(replace(BOARD, serial=None), 115_200, simulated=False)


def test_scripts_are_those_of_the_two_modes() -> None:
    assert "    - loop 5:\n      - download\n      - infer 87 10\n" in script_yaml("kws01", 87)
    assert "    - loop:\n      - download\n      - infer 1 0\n" in script_yaml("ic01", None)
    assert script_yaml("ic01", None).startswith("ic01:\n")


def test_the_data_set_is_read_back(tmp_path: Path) -> None:
    inputs = [np.array([[-128, 0], [1, 127]], np.int8), np.array([[5, 5], [5, 5]], np.int8)]
    assert write_dataset(tmp_path / "kws01", inputs, [3, 11], 12) == 2
    assert dataset(tmp_path / "kws01") == [(b"\x80\x00\x01\x7f", 3), (b"\x05" * 4, 11)]
    assert (tmp_path / "kws01" / "y_labels.csv").read_text().splitlines()[0] == "00000.bin,12,3"


def test_a_folder_without_a_runner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no main\.py"):
        runner_command(tmp_path, tmp_path, "/dev/pts/0", "p")


def test_the_shim_shows_the_port_to_the_runner(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "main.py").write_text(
        "import sys\nfrom serial.tools import list_ports\nimport neighbour\n"
        "port = list_ports.comports()[0]\nprint(port.device, hex(port.vid), hex(port.pid), sys.argv[1:3], __name__)\n"
    )
    (tmp_path / "neighbour.py").write_text("")
    command = runner_command(tmp_path, tmp_path / "mlperf", "/dev/pts/7", "a")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("/dev/pts/7 0x1209 0x1 ['--dataset_path', ")
    assert "tests_accuracy.yaml" in command[-3]
    assert done.stdout.strip().endswith("__main__")
