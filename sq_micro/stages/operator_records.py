"""What `result.json` says of operators, whatever has been searched: memory by width, noise, places in the arena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from sq_micro.assign.options import OperatorOptions, operator_options
from sq_micro.assign.sigmaquant.divergence import weight_statistics
from sq_micro.assign.sigmaquant.options import SigmaQuantOptions
from sq_micro.board import Board
from sq_micro.fidelity.outputs import output_fidelity
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.operators import WeightedOperator, kind
from sq_micro.ir.topology import Topology
from sq_micro.plan.patching import Head
from sq_micro.plan.plan import Plan, slowdowns
from sq_micro.quant.calibrate import SampleSource
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.sharing import own_constants
from sq_micro.report.evidence import (
    ArenaBufferRecord,
    ArenaPlanRecord,
    ArenaShareRecord,
    FidelityRecord,
    PackedWidthRecord,
    PatchesRecord,
    WeightedOperatorRecord,
)
from sq_micro.stages.arena_table import usual


def weighted_operator_records(
    graph: FloatGraph, executed: QuantGraph, board: Board, sets: Mapping[str, KernelSet]
) -> list[WeightedOperatorRecord]:
    """Every operator with weights: statistics of the trained ones, and bytes at each width with its kernels on a board.

    executed  what the firmware computes. Channels that it leaves out are left out at every width
    sets      of kernels, by operator
    """
    every = tuple(sorted(WEIGHT_BITS))
    statistics = {
        found.operator: found for found in weight_statistics(own_constants(graph), every, SigmaQuantOptions(bits=every))
    }
    topology, at_rest = executed.topology, executed.bitwidths.activations
    every_set = tuple(dict.fromkeys(sets.values()))
    options = {
        option.operator: option.with_kernels(sets[option.operator])
        for option in operator_options(topology, board=board, activation_bits=at_rest, sets=every_set)
    }
    return [
        WeightedOperatorRecord(
            name=operator.name,
            kind=kind(operator),
            weights=topology.elements(operator.weights),
            sigma=statistics[operator.name].sigma,
            widths=_widths(operator, executed, board, options[operator.name], statistics[operator.name].divergence),
        )
        for operator in topology.weighted()
    ]


def fidelity_records(graph: FloatGraph, quantized: QuantGraph, samples: SampleSource) -> list[FidelityRecord]:
    """The noise in each operator's output over the samples."""
    return [
        FidelityRecord(name=found.operator, sqnr_db=found.sqnr_db, cosine=found.cosine)
        for found in output_fidelity(graph, quantized, samples)
    ]


def arena_plan_record(topology: Topology, bitwidths: Bitwidths, plan: Plan) -> ArenaPlanRecord:
    """Where each buffer lies and while which operators it is in use."""
    slower = slowdowns(topology, bitwidths, plan)
    buffers = []
    for buffer in plan.buffers:
        scratch_of = None if buffer.tensors else buffer.name.removesuffix(" (scratch)")
        span = plan.tensors[buffer.tensors[0]] if scratch_of is None else plan.scratch[scratch_of]
        buffers.append(
            ArenaBufferRecord(
                name=buffer.name,
                tensors=list(buffer.tensors),
                scratch_of=scratch_of,
                offset_bytes=span.offset_bytes,
                size_bytes=span.size_bytes,
                first=buffer.first,
                last=buffer.last,
            )
        )
    return ArenaPlanRecord(
        operators=[operator.name for operator in topology.operators],
        peak_operator=plan.peak_operator,
        buffers=buffers,
        loss=max([plan.loss, *(ratio - 1.0 for ratio in slower.values())]),
        patches=None if plan.head is None else _patches_record(plan.head, slower),
        shares=[ArenaShareRecord.model_validate(asdict(share)) for share in plan.shares],
        least_slow_accesses=plan.least_slow_accesses,
    )


def _patches_record(head: Head, slower: Mapping[str, float]) -> PatchesRecord:
    return PatchesRecord(
        operators=list(head.operators),
        patches=head.patches,
        height=head.height,
        width=head.width,
        computed=list(head.computed),
        slowdowns=[slower[name] for name in head.operators],
    )


def _widths(
    operator: WeightedOperator,
    executed: QuantGraph,
    board: Board,
    option: OperatorOptions,
    divergence: dict[int, float],
) -> list[PackedWidthRecord]:
    found = []
    for width in option.widths:
        at_rest = Bitwidths({operator.name: width.bits}, executed.bitwidths.activations)
        kernel = usual(operator, executed.topology, at_rest, board.core.isa, width.kernels)
        found.append(
            PackedWidthRecord.model_validate(
                {
                    "bits": width.bits,
                    "weight_bytes": width.weight_bytes,
                    "table_bytes": width.table_bytes,
                    "padding_bytes": width.padding_bytes,
                    "scratch_bytes": kernel.scratch_bytes,
                    "weight_divergence": divergence[width.bits],
                }
            )
        )
    return found
