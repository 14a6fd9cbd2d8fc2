"""What the reference says that a device must hold after each operator, for stepping through the model on it."""

from __future__ import annotations

from sq_micro.measure.locate import ExpectedOutput
from sq_micro.plan.plan import Plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.params import Int8Array
from sq_micro.reference.interpreter import run
from sq_micro.stages.measurement_record import executed_operators


def expected_steps(graph: QuantGraph, plan: Plan, codes: Int8Array) -> list[ExpectedOutput]:
    """What each operator leaves in the arena for one sample (1, …), in the order in which the firmware counts them."""
    left: dict[str, Int8Array] = {}
    run(graph, codes, lambda operator, output: left.update({operator.name: output[0].ravel()}))
    return [
        ExpectedOutput(
            operator.name,
            plan.tensors[operator.output].offset_bytes,
            None if plan.in_parts(operator.name) else left[operator.name],
            graph.bitwidths.activation(operator.output),
        )
        for operator in executed_operators(graph.topology)
    ]
