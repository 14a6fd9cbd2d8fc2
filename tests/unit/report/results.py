"""A result made by hand."""

from __future__ import annotations

from typing import Any

from sq_micro.report.result import Result

OPERATORS = [
    {"index": 0, "name": "conv2d", "kind": "conv2d", "weight_bits": 4, "macs": 120_000, "cycles": 300_000},
    {"index": 1, "name": "mean", "kind": "mean", "weight_bits": None, "macs": 0, "cycles": 50_000},
    {"index": 2, "name": "dense[red]", "kind": "dense", "weight_bits": 8, "macs": 5_000, "cycles": 25_000},
]


def made_result(**changes: Any) -> Result:
    """A 4-bit model on the simulated NUCLEO; `measurement__cycles=None` changes a field of a part."""
    document: dict[str, Any] = {
        "tool": {"version": "0.1.0"},
        "model": {
            "name": "digits",
            "sha256": "0" * 64,
            "model_hash": "ab" * 32,
            "parameters": 5_194,
            "macs": 125_000,
            "executed_macs": 125_000,
            "input_shape": [8, 8, 1],
            "output_shape": [10],
        },
        "board": {"id": "nucleo_l4r5zi", "title": "ST NUCLEO-L4R5ZI", "core": "cortex-m4", "clock_hz": 120_000_000},
        "bits": {"weights": {"conv2d": 4, "dense[red]": 8}},
        "quantization": {
            "observer": "mse",
            "rounding": "feedback",
            "weight_scales": None,
            "calibration_samples": 512,
            "finetuning": None,
        },
        "assignment": None,
        "accuracy": {"metric": "top1", "samples": 360, "float": 0.98611, "quantized": 0.975},
        "memory": {
            "flash_bytes": {"total": 14_336, "weights": 3_000, "code": 10_000, "tables": 1_336},
            "sram_bytes": {"total": 5_120, "arena": 2_560, "stack": 2_048, "static": 512},
            "worst_case_stack_bytes": 640,
            "measured_stack_bytes": 412,
        },
        "build": {"compiler": "gcc (arm-none-eabi-gcc 12.2.1)"},
        "measurement": {
            "link": "simulator",
            "cycle_source": "modelled",
            "runs": 100,
            "cycles": {"min": 374_990, "median": 375_000, "max": 375_020},
            "instructions": 310_000,
            "latency_s": 0.003125,
            "energy_j": 0.00015,
            "operators": OPERATORS,
        },
        "verification": {"oracle": "TFLite Micro", "samples": 100, "identical": 100},
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = document
        for parent in parents:
            part = part[parent]
        part[last] = value
    return Result.model_validate(document)
