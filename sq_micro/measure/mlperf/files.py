"""The files that the runner reads: which device to look for, what to do with it, and the labelled inputs.

https://github.com/mlcommons/tiny, benchmark/runner: device_manager.py, script.py and datasets.py say what is in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from sq_micro.board import Board
from sq_micro.errors import UsageError
from sq_micro.measure.harness import Int8Array
from sq_micro.paths import write_atomically

WINDOW_S = 10.0  # a performance window is valid from here on
WINDOWS = 5
LONGEST_WAIT_S = 30.0  # the runner waits so long for a line
WARM_UP = 10
_MARGIN = 1.03
LABELS = "y_labels.csv"

# What a simulated device passes for: no real one has this id of pid.codes' test range.
SIMULATED_USB_ID = "1209:0001"


def loop_count(latency_s: float) -> int:
    """Inferences a window, a little over the ten seconds. Raises UsageError iff the runner would not wait for them."""
    count = math.ceil(_MARGIN * WINDOW_S / latency_s)
    if count * latency_s >= LONGEST_WAIT_S or WARM_UP * latency_s >= LONGEST_WAIT_S:
        raise UsageError(
            f"an inference takes {latency_s:.3g} s; the runner waits {LONGEST_WAIT_S:g} s for a line, which is too"
            f" short for {max(count, WARM_UP)} of them"
        )
    return count


def devices_yaml(board: Board, baud: int, *, simulated: bool) -> str:
    """The one device, by the USB id of the board's serial port. Raises UsageError iff the board file has none."""
    ids = (SIMULATED_USB_ID,) if simulated else board.serial.usb_ids if board.serial else ()
    if not ids:
        raise UsageError(f"board '{board.id}' has no usb_ids under [link.serial], by which the runner finds a device")
    products: dict[str, list[str]] = {}
    for vendor, product in (usb_id.split(":") for usb_id in ids):
        products.setdefault(vendor, []).append(product)
    lines = [
        f"- name: {board.id}",
        f"  check_name: {board.id}",
        "  type: dut",
        "  baud:",
        *(f"    {mode}: {baud}" for mode in ("energy", "performance", "accuracy")),
        "  usb:",
    ]
    for vendor, found in products.items():
        lines += [f"    0x{vendor}:", *(f"      - 0x{product}" for product in found)]
    return "\n".join(lines) + "\n"


def script_yaml(model: str, inferences: int | None) -> str:
    """What to do: five windows of so many inferences; None: every file once, for accuracy."""
    loop, infer = ("loop", "infer 1 0") if inferences is None else (f"loop {WINDOWS}", f"infer {inferences} {WARM_UP}")
    return "\n".join(
        (
            f"{model}:",
            f"  name: {model}",
            f"  model: {model}",
            f"  truth_file: {LABELS}",
            "  script:",
            f"    - {loop}:",
            "      - download",
            f"      - {infer}",
            "",
        )
    )


def write_dataset(folder: Path, inputs: Iterable[Int8Array], labels: Iterable[int], classes: int) -> int:
    """One .bin file a sample, as it is sent, and `y_labels.csv`; how many there are."""
    lines = []
    for index, (sample, label) in enumerate(zip(inputs, labels, strict=True)):
        name = f"{index:05d}.bin"
        write_atomically(folder / name, sample.tobytes())
        lines.append(f"{name},{classes},{label}\n")
    write_atomically(folder / LABELS, "".join(lines))
    return len(lines)
