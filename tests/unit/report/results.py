"""A result made by hand."""

from __future__ import annotations

from typing import Any

from sq_micro.report.result import Result

OPERATORS = [
    {
        "index": 0,
        "name": "conv2d",
        "kind": "conv2d",
        "weight_bits": 4,
        "macs": 120_000,
        "cycles": 300_000,
        "instructions": None,
    },
    {
        "index": 1,
        "name": "mean",
        "kind": "mean",
        "weight_bits": None,
        "macs": 0,
        "cycles": 50_000,
        "instructions": None,
    },
    {
        "index": 2,
        "name": "dense[red]",
        "kind": "dense",
        "weight_bits": 8,
        "macs": 5_000,
        "cycles": 25_000,
        "instructions": None,
    },
]


CONFUSION = {"float_network": [[178, 2], [3, 177]], "quantized": [[176, 4], [5, 175]]}


def _widths(weights: int, channels: int, scratch: int) -> list[dict[str, Any]]:
    return [
        {
            "bits": bits,
            "weight_bytes": weights * bits // 8,
            "table_bytes": channels * (9 if bits == 8 else 10),
            "padding_bytes": 0,
            "scratch_bytes": 0 if bits == 8 else scratch,
            "weight_divergence": 0.8 / bits,
        }
        for bits in WIDTHS
    ]


WIDTHS = (2, 3, 4, 5, 6, 8)
WEIGHTED = [
    {"name": "conv2d", "kind": "conv2d", "weights": 4_800, "sigma": 0.21, "widths": _widths(4_800, 16, 512)},
    {"name": "dense[red]", "kind": "dense", "weights": 600, "sigma": 0.13, "widths": _widths(600, 12, 0)},
]
PLAN = {
    "operators": ["conv2d", "mean", "dense[red]"],
    "peak_operator": "conv2d",
    "loss": 0.0,
    "buffers": [
        {"name": "image", "tensors": ["image"], "scratch_of": None, "offset_bytes": 0, "size_bytes": 64, "first": 0,
         "last": 0},
        {"name": "conv2d", "tensors": ["conv2d"], "scratch_of": None, "offset_bytes": 512, "size_bytes": 2_048,
         "first": 0, "last": 1},
        {"name": "conv2d (scratch)", "tensors": [], "scratch_of": "conv2d", "offset_bytes": 0, "size_bytes": 512,
         "first": 0, "last": 0},
    ],
}  # fmt: skip

DIVIDED = {
    **PLAN,
    "shares": [
        {"region": "ccm", "offset_bytes": 0, "size_bytes": 512, "lower_bound_bytes": 512, "accessed_bytes": 90_000},
        {"region": "sram", "offset_bytes": 512, "size_bytes": 2_048, "lower_bound_bytes": 2_048,
         "accessed_bytes": 5_000},
    ],
    "least_slow_accesses": 5_000,
}  # fmt: skip
REGIONS = [
    {"name": "sram", "size_bytes": 4_096, "used_bytes": 2_560},
    {"name": "ccm", "size_bytes": 3_000, "used_bytes": 2_560},
]


def made_assignment(**budget: float) -> dict[str, Any]:
    """A search whose flash budget decided; tables of cycles and damage for both operators."""
    bounds = {"flash_bytes": 14_500.0, "sram_bytes": None, "latency_s": 0.004, "energy_j": None, "weight_bytes": None}
    trial = {
        "divergence": 0.011,
        "agreement": 0.98,
        "expected_drop_points": 0.4,
        "accuracy": 0.97,
        "float_accuracy": 0.98,
    }

    def searched(name: str, cycles: int, exceeds: dict[int, list[str]]) -> dict[str, Any]:
        widths = [
            {
                "bits": bits,
                "code_bytes": 800 + 40 * (bits < 8),
                "calls": {"sqm_gemm": 500} if bits == 8 else {"sqm_gemm": 500, f"sqm_unpack_{bits}": 100},
                "stack_bytes": 2_048 if bits < 8 else 1_984,
                "cycles": cycles - 1_000 * bits,
                "damage": 0.08 / bits**2 if bits < 8 else 0.0,
                "exceeds": exceeds.get(bits, []),
            }
            for bits in WIDTHS
        ]
        return {"name": name, "pinned": name == "dense[red]", "widths": widths}

    def plan(origin: str, bits: int, tried: bool = True) -> dict[str, Any]:
        return {
            "origin": origin,
            "bits": {"conv2d": bits, "dense[red]": bits},
            "weight_bytes": 675 * bits,
            "flash_bytes": 11_000 + 675 * bits,
            "sram_bytes": 5_120,
            "latency_s": 0.003,
            "energy_j": 0.00015,
            "predicted_divergence": 0.1 / bits**2,
            "trial": {**trial, "divergence": 0.12 / bits**2, "expected_drop_points": 3.0 / bits} if tried else None,
        }

    return {
        "allocator": "ilp",
        "arena_limit_bytes": None,
        "stack_bytes": 2_000,
        "budget": {**bounds, "max_drop_points": 2.0, **budget},
        "binding": ["flash"],
        "reason": "decided by flash",
        "predicted_divergence": 0.01,
        "predicted_flash_bytes": 14_340.0,
        "predicted_latency_s": 0.003,
        "trial": trial,
        "operators": [
            searched("conv2d", 304_000, {5: ["flash"], 6: ["flash"], 8: ["flash", "latency"]}),
            searched("dense[red]", 33_000, {}),
        ],
        "plans": [plan("uniform 8", 8), plan("uniform 4", 4), plan("uniform 2", 2), plan("searched", 5, tried=False)],
        "prices": [{"resource": "flash", "amount": 1024.0, "gain": 0.002, "gain_points": 0.1}],
        "sigma_correlation": 0.5,
        "warnings": [],
    }


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
        "board": {
            "id": "nucleo_l4r5zi",
            "title": "ST NUCLEO-L4R5ZI",
            "core": "cortex-m4",
            "clock_hz": 120_000_000,
            "flash_bytes": 2_097_152,
            "sram_bytes": 655_360,
            "cycle_model": {
                "core": "Arm Cortex-M4",
                "trust": "validated",
                "error": "within 2 %",
                "leaves_out": "the wait states of flash",
                "wait_factor": None,
            },
        },
        "bits": {"weights": {"conv2d": 4, "dense[red]": 8}},
        "quantization": {
            "observer": "mse",
            "rounding": "feedback",
            "weight_scales": None,
            "calibration_samples": 512,
            "finetuning": None,
        },
        "assignment": None,
        "accuracy": {"metric": "top1", "samples": 360, "float": 0.98611, "quantized": 0.975, "confusion": CONFUSION},
        "operators": WEIGHTED,
        "fidelity": [
            {"name": "conv2d", "sqnr_db": 31.5, "cosine": 0.9996},
            {"name": "mean", "sqnr_db": 34.0, "cosine": 0.9998},
            {"name": "dense[red]", "sqnr_db": 28.25, "cosine": 0.999},
        ],
        "memory": {
            "flash_bytes": {"total": 14_336, "weights": 3_000, "code": 10_000, "tables": 1_336},
            "sram_bytes": {"total": 5_120, "arena": 2_560, "stack": 2_048, "static": 512},
            "arena_lower_bound_bytes": 2_560,
            "optimal": True,
            "worst_case_stack_bytes": 640,
            "measured_stack_bytes": 412,
            "plan": PLAN,
            "arena_by_width": {
                "operators": ["conv2d"],
                "groups": [[[8], [2, 3, 4, 5, 6]]],
                "boxes": [
                    {"first": [0], "last": [0], "arena_bytes": 2_048},
                    {"first": [1], "last": [1], "arena_bytes": 2_560},
                ],
                "proven": True,
            },
        },
        "build": {"compiler": "gcc (arm-none-eabi-gcc 12.2.1)"},
        "measurement": {
            "link": "simulator",
            "cycle_source": "modelled",
            "warm_up": 1,
            "carried_inputs": 0,
            "runs": 100,
            "cycles": {"min": 374_990, "median": 375_000, "p95": 375_010, "max": 375_020},
            "instructions": 310_000,
            "latency_s": 0.003125,
            "energy_j": 0.00015,
            "operators": OPERATORS,
            "modelled": None,
            "accuracy": None,
            "notes": [],
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
