"""What was measured, as it stands in the result, and in `11_measurement.json` run by run."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence

from sq_micro.board import Board
from sq_micro.ir.operators import Operator, Reshape, kind
from sq_micro.ir.topology import Topology, macs
from sq_micro.measure.device_accuracy import CONFIDENCE, DeviceAccuracy
from sq_micro.measure.harness import Measurement
from sq_micro.quant.graph import QuantGraph
from sq_micro.report.evidence import ArenaPlanRecord
from sq_micro.report.result import (
    CyclesRecord,
    DeviceAccuracyRecord,
    MeasurementRecord,
    OperatorRecord,
)
from sq_micro.stages.accuracy import Metric
from sq_micro.stages.modelled import Beside


def measurement_record(
    graph: QuantGraph,
    board: Board,
    plan: ArenaPlanRecord,
    measured: Measurement,
    beside: Beside,
    accuracy: DeviceAccuracyRecord | None,
    notes: Sequence[str],
) -> MeasurementRecord:
    """Cycles of the inference and of each operator that runs; latency only where clock and cycles are known.

    Of operators that run in patches, cycles and instructions are known together alone: the last one has them.
    """
    cycles = latency_s = None
    counts_cycles = measured.cycle_source != "none"  # a counter may run where it means nothing, as in QEMU
    if measured.cycles and counts_cycles:
        cycles = cycles_record(measured.cycles)
        latency_s = cycles.median / board.core.clock_hz if board.core.clock_hz else None
    executed = executed_operators(graph.topology)
    together = frozenset(plan.patches.operators[:-1] if plan.patches else ())
    unknown: list[int | None] = [None] * len(executed)
    instructions = measured.operator_instructions or beside.operator_instructions or unknown
    figures = zip(executed, measured.operator_cycles or unknown, instructions, strict=True)
    operators = [
        OperatorRecord.model_validate(
            {
                "index": index,
                "name": operator.name,
                "kind": kind(operator),
                "weight_bits": graph.bitwidths.weights.get(operator.name),
                "macs": macs(operator, graph.topology),
                "cycles": None if operator.name in together else spent,
                "instructions": None if operator.name in together else counted,
            }
        )
        for index, (operator, spent, counted) in enumerate(figures)
    ]
    return MeasurementRecord(
        link=measured.link,
        cycle_source=measured.cycle_source,
        warm_up=measured.warm_up,
        carried_inputs=measured.carried,
        runs=measured.runs,
        cycles=cycles,
        instructions=(
            int(statistics.median_low(measured.instructions)) if measured.instructions else beside.instructions
        ),
        latency_s=latency_s,
        energy_j=latency_s * board.active_power_w if latency_s and board.active_power_w else None,
        operators=operators,
        modelled=beside.record,
        accuracy=accuracy,
        notes=list(notes),
    )


def cycles_record(cycles: Sequence[int]) -> CyclesRecord:
    """The spread of the runs; p95 by the nearest rank."""
    ordered = sorted(cycles)
    return CyclesRecord(
        min=ordered[0],
        median=int(statistics.median_low(ordered)),
        p95=ordered[-(-95 * len(ordered) // 100) - 1],
        max=ordered[-1],
    )


def accuracy_record(counted: DeviceAccuracy, metric: Metric) -> DeviceAccuracyRecord:
    """Accuracy on the device as it stands in the result."""
    return DeviceAccuracyRecord(
        metric=metric,
        available=counted.available,
        samples=counted.samples,
        correct=counted.correct,
        accuracy=counted.accuracy,
        low=counted.low,
        high=counted.high,
        confidence=CONFIDENCE,
    )


def executed_operators(topology: Topology) -> list[Operator]:
    """In execution order, as the firmware counts them: a Reshape is no code."""
    return [operator for operator in topology.operators if not isinstance(operator, Reshape)]


def raw_json(measured: Measurement) -> str:
    """Every timed run, for those who want more than the median."""
    record = {
        "link": measured.link,
        "counter_alive": measured.counter_alive,
        "cycle_source": measured.cycle_source,
        "clock_hz": measured.clock_hz,
        "warm_up": measured.warm_up,
        "runs": measured.runs,
        "cycles": measured.cycles,
        "instructions": measured.instructions,
        "operator_cycles": measured.operator_cycles,
        "operator_instructions": measured.operator_instructions,
        "stack_used_bytes": measured.stack_used_bytes,
        "stack_reserved_bytes": measured.stack_reserved_bytes,
    }
    return json.dumps(record, indent=1) + "\n"
