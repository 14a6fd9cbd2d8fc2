"""Where accuracy went: every operator's noise, the worst first, and the one that the network collapses at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sq_micro.assign.evaluator import compare
from sq_micro.assign.output_divergence import float_outputs, real_samples
from sq_micro.errors import UsageError
from sq_micro.fidelity.hints import hint
from sq_micro.fidelity.isolate import isolate
from sq_micro.fidelity.outputs import float_twin, output_fidelity
from sq_micro.ir.operators import kind
from sq_micro.ir.text import columns
from sq_micro.quant.samples import load_samples
from sq_micro.report.record import Bits, Record
from sq_micro.stages.analyze import analyzed_graph
from sq_micro.stages.quantize import whole_graph
from sq_micro.stages.records import QuantizeRecord, load_record
from sq_micro.workspace import Workspace

SAMPLES = 64
_NOTABLE = 0.05  # of all damage: less is not worth advice
COLLAPSED = 0.95  # of decisions alike: below, something is wrong with one operator more often than with all


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """samples: at most so many of the file's first ones are looked at."""

    file: Path
    samples: int = SAMPLES


class OperatorDiff(Record):
    """One operator. All noise is against the float network; decibels are null where there is none.

    sqnr_db, cosine  of its output in the quantized network, with the noise that reaches it
    alone_db         of its output when it alone is in integers; weights_db and steps_db are the kinds of its noise
    divergence       of the network's outputs when it alone is in integers
    agreement        share of samples then decided alike
    hint             what to try; empty where the operator does little of the damage
    """

    index: int
    name: str
    kind: str
    bits: Bits | None
    sqnr_db: float | None
    cosine: float | None
    alone_db: float | None
    weights_db: float | None
    steps_db: float | None
    clipped: float
    divergence: float
    agreement: float
    hint: str


class Diff(Record):
    """operators: of largest divergence first. culprit: null where the network has not collapsed."""

    model: str
    samples: int
    divergence: float
    agreement: float
    culprit: str | None
    operators: list[OperatorDiff]

    def __str__(self) -> str:
        head = ("#", "operator", "kind", "bits", "SQNR", "cosine", "alone", "weights", "steps", "damage", "what to try")
        rows = [head, *(_row(found) for found in self.operators)]
        lines = [columns(rows).rstrip("\n"), "", self.verdict]
        return "\n".join(lines)

    @property
    def verdict(self) -> str:
        """The network as a whole, and who is to blame."""
        known = f"{self.samples} samples: {self.agreement:.1%} decided as in float, divergence {self.divergence:.4g}"
        worst = self.operators[0]
        if worst.divergence == 0:
            return f"{known}; no operator alone does any damage"
        if self.culprit is None:
            return f"{known}; most of the damage is done by '{worst.name}': {worst.hint}"
        return (
            f"{known}; the network collapses at '{self.culprit}': alone in integers it leaves"
            f" {worst.agreement:.1%} of the decisions as they were; {worst.hint}"
        )


def diff(workspace: Workspace, request: DiffRequest) -> Diff:
    """Compare the quantized network with the float one, operator by operator, on samples."""
    if request.samples < 1:
        raise UsageError(f"--samples {request.samples}: at least 1 is needed")
    graph, quantized = analyzed_graph(workspace), whole_graph(workspace)
    record = load_record(workspace, QuantizeRecord)
    samples = load_samples(request.file, graph.input_shape).first(request.samples)
    twin = float_twin(graph, quantized)
    whole = compare(quantized, real_samples(samples, 0, len(samples)), float_outputs(twin, samples))
    outputs = {found.operator: found for found in output_fidelity(graph, quantized, samples)}
    kinds = {operator.name: (index, operator) for index, operator in enumerate(quantized.topology.operators)}
    alone = isolate(graph, quantized, samples)
    notable = _NOTABLE * sum(max(found.divergence, 0.0) for found in alone)
    operators = []
    for found in alone:
        index, operator = kinds[found.operator]
        bits = quantized.bitwidths.weights.get(found.operator)
        advice = ""
        if found.divergence > notable:
            advice = hint(found, bits, record.quantization.observer, record.quantization.rounding)
        operators.append(
            OperatorDiff.model_validate(
                {
                    "index": index,
                    "name": found.operator,
                    "kind": kind(operator),
                    "bits": bits,
                    "sqnr_db": outputs[found.operator].sqnr_db,
                    "cosine": outputs[found.operator].cosine,
                    "alone_db": found.sqnr_db,
                    "weights_db": found.weights_db,
                    "steps_db": found.steps_db,
                    "clipped": found.clipped,
                    "divergence": max(found.divergence, 0.0),
                    "agreement": found.agreement,
                    "hint": advice,
                }
            )
        )
    operators.sort(key=lambda found: (-found.divergence, found.index))
    return Diff(
        model=graph.topology.name,
        samples=len(samples),
        divergence=whole.divergence,
        agreement=whole.agreement,
        culprit=operators[0].name if whole.agreement < COLLAPSED else None,
        operators=operators,
    )


def _row(found: OperatorDiff) -> tuple[str, ...]:
    return (
        str(found.index),
        found.name,
        found.kind,
        str(found.bits or ""),
        _decibels(found.sqnr_db),
        "" if found.cosine is None else f"{found.cosine:.5f}",
        _decibels(found.alone_db),
        _decibels(found.weights_db) if found.bits else "",
        _decibels(found.steps_db),
        f"{found.divergence:.2g}",
        found.hint,
    )


def _decibels(value: float | None) -> str:
    return "exact" if value is None else f"{value:.1f} dB"
