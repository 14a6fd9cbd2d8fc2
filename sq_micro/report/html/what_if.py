"""The tables that the page's script adds up when a person pins an operator to other bits."""

from __future__ import annotations

import json
from typing import Any

from sq_micro.report.operators import Operator, operators
from sq_micro.report.result import Result


def what_if_data(result: Result) -> str:
    """JSON for a script element: operators with their widths, the arena's table, what the image takes, and bounds.

    `plan` is what a plan file says beside the bits that are pinned. A width's `flash` is null where its code was not
    built, `cycles` and `damage` where nobody knows them.
    """
    measured, memory, budget = result.measurement, result.memory, result.assignment and result.assignment.budget
    table = memory.arena_by_width
    power_w = None
    if measured.energy_j is not None and measured.latency_s:
        power_w = measured.energy_j / measured.latency_s
    beside = {"activations": result.bits.activations, "kernels": result.kernels}
    document = {
        "model": result.model.name,
        "totals": {
            "flash": memory.flash_bytes.total,
            "weights": memory.flash_bytes.weights,
            "sram": memory.sram_bytes.total,
            "arena": memory.sram_bytes.arena,
            "cycles": measured.cycles.median if measured.cycles else None,
            "latency": measured.latency_s,
            "energy": measured.energy_j,
        },
        "bounds": {
            "flash": budget.flash_bytes if budget else None,
            "sram": budget.sram_bytes if budget else None,
            "latency": budget.latency_s if budget else None,
            "energy": budget.energy_j if budget else None,
            "weights": budget.weight_bytes if budget else None,
        },
        "plan": {key: value for key, value in beside.items() if value},
        "clock_hz": result.board.clock_hz,
        "power_w": power_w,
        "operators": [_operator(operator) for operator in operators(result) if operator.weighted is not None],
        "arena": None if table is None else table.model_dump(),
        "stack": result.assignment.stack_bytes if result.assignment else None,
    }
    # A name may hold what ends a script element.
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")


def _operator(operator: Operator) -> dict[str, Any]:
    assert operator.weighted is not None
    searched = {width.bits: width for width in operator.searched.widths} if operator.searched else {}
    widths = {}
    for width in operator.weighted.widths:
        found = searched.get(width.bits)
        constants = width.weight_bytes + width.table_bytes + width.padding_bytes
        widths[str(width.bits)] = {
            "weights": width.weight_bytes,
            "constants": constants,
            "flash": None if found is None or found.code_bytes is None else constants + found.code_bytes,
            "calls": found.calls if found is not None else {},
            "stack": found.stack_bytes if found is not None else None,
            "cycles": found.cycles if found is not None else None,
            "damage": found.damage if found is not None else None,
            "divergence": width.weight_divergence,
        }
    return {"name": operator.ran.name, "bits": operator.ran.weight_bits, "widths": widths}
