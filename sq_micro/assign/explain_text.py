"""An Explanation as a table for people, as JSON, as CSV; frontier and prices too."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from sq_micro.assign.explain import Explanation, KernelReason, OperatorReason, WidthReason
from sq_micro.assign.problem import Assignment, Evaluation, FrontierPoint, Price
from sq_micro.cost.budget import UNIT
from sq_micro.cost.cost import Cost
from sq_micro.cost.figure import amount
from sq_micro.ir.text import columns

_CSV_HEAD = (
    *("operator", "kind", "weights", "sigma", "pinned", "chosen", "bits", "weight_bytes", "flash_bytes"),
    *("code_bytes", "stack_bytes", "cycles", "latency_s", "energy_j", "sensitivity", "weight_divergence", "blocked_by"),
)


def assignment_text(assignment: Assignment) -> str:
    """Status, plan, costs, what decided, prices and the allocator's log."""
    lines = [f"{assignment.allocator}: {assignment.status}. {assignment.reason}", f"takes {assignment.cost}"]
    lines += [f"exceeds {violation}" for violation in assignment.shortfalls]
    lines += [f"least possible {r}: {amount(value, UNIT[r])}" for r, value in assignment.minimum.items()]
    found = assignment.evaluation
    if assignment.predicted is not None:
        lines.append(f"predicted divergence {assignment.predicted:.5f}")
    if found is not None:
        counted = "" if found.counted_drop is None else f" ({found.counted_drop:.2f} counted with labels)"
        lines.append(
            f"on calibration data: divergence {found.divergence:.5f}, agreement {100 * found.agreement:.2f} %,"
            f" expected drop {found.expected_drop:.2f} points{counted}"
        )
    lines += [price_text(price) for price in assignment.prices]
    return "\n".join([*lines, *assignment.log]) + "\n"


def price_text(price: Price) -> str:
    """`1,024 B more flash lowers the divergence by 0.012 (0.3 points)`."""
    more = f"{amount(price.amount, UNIT[price.resource])} more {price.resource}"
    if price.gain <= 0:
        return f"{more} gains nothing"
    points = f" ({price.gain_points:.2f} points of expected accuracy)" if price.gain_points is not None else ""
    return f"{more} lowers the predicted divergence by {price.gain:.5f}{points}"


def explanation_text(explanation: Explanation) -> str:
    """The assignment, then one line per operator."""
    rows: list[tuple[str, ...]] = [
        ("operator", "kind", "bits", "sigma", "KL(w)", "damage", "weights", "one width down", "one width up")
    ]
    for reason in explanation.operators:
        chosen = reason.chosen
        rows.append(
            (
                reason.operator,
                reason.kind,
                f"{chosen.bits}{' pinned' if reason.pinned else ''}",
                f"{reason.sigma:.4f}",
                f"{chosen.weight_divergence:.4f}",
                _number(chosen.sensitivity),
                f"{chosen.weight_bytes:,} B",
                _step(chosen, reason.narrower),
                _step(chosen, reason.wider),
            )
        )
    text = assignment_text(explanation.assignment) + "\n" + columns(rows) + _kernels_text(explanation)
    if explanation.sigma_correlation is not None:
        text += (
            f"\nrank correlation of sigma with damage at the narrowest width: {explanation.sigma_correlation:+.2f}\n"
        )
    return text + "".join(f"warning: {warning}\n" for warning in explanation.warnings)


def _kernels_text(explanation: Explanation) -> str:
    """A line per operator whose kernels were a choice: what others would take more or less."""
    if not explanation.kernels:
        return ""
    rows: list[tuple[str, ...]] = [("operator", "kernels", "others would take")]
    for name in dict.fromkeys(reason.operator for reason in explanation.kernels):
        reasons = [reason for reason in explanation.kernels if reason.operator == name]
        chosen = next(reason.kernels for reason in reasons if reason.chosen)
        rows.append((name, chosen, "; ".join(_kernels_step(reason) for reason in reasons if not reason.chosen)))
    return "\n" + columns(rows)


def _kernels_step(reason: KernelReason) -> str:
    """`small: −1,204 B, +0.40 ms` or `fast: +980 B, −0.21 ms, exceeds flash`."""
    parts = [f"{reason.flash_bytes:+,} B"]
    if reason.latency_s is not None:
        parts.append(f"{1e3 * reason.latency_s:+.2f} ms")
    if reason.blocked_by:
        parts.append("exceeds " + " and ".join(reason.blocked_by))
    return f"{reason.kernels}: " + ", ".join(parts)


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Plain JSON values."""
    assignment = explanation.assignment
    return {
        "allocator": assignment.allocator,
        "status": assignment.status,
        "reason": assignment.reason,
        "bits": dict(assignment.bitwidths.weights),
        "cost": cost_document(assignment.cost),
        "predicted_divergence": assignment.predicted,
        "evaluation": _evaluation_document(assignment.evaluation),
        "shortfalls": [asdict(violation) for violation in assignment.shortfalls],
        "binding": list(assignment.binding),
        "minimum": dict(assignment.minimum),
        "prices": [asdict(price) for price in assignment.prices],
        "frontier": [_point_document(point) for point in assignment.frontier],
        "log": list(assignment.log),
        "kernels": dict(assignment.kernels),
        "kernel_choices": [{**asdict(reason), "blocked_by": list(reason.blocked_by)} for reason in explanation.kernels],
        "operators": [_operator_document(reason) for reason in explanation.operators],
        "sigma_correlation": explanation.sigma_correlation,
        "warnings": list(explanation.warnings),
    }


def explanation_csv(explanation: Explanation) -> str:
    """One line per operator and width."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_CSV_HEAD)
    for reason in explanation.operators:
        head = (reason.operator, reason.kind, reason.weights, reason.sigma, int(reason.pinned))
        for width in reason.widths:
            values = asdict(width)
            del values["calls"]
            values["blocked_by"] = " ".join(width.blocked_by)
            row = (*head, int(width.bits == reason.chosen.bits), *values.values())
            writer.writerow(["" if value is None else value for value in row])
    return stream.getvalue()


def frontier_csv(assignment: Assignment) -> str:
    """One line per plan that was seen, the smallest first."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    known = next(iter(assignment.frontier), None)
    operators = list(known.bitwidths.weights) if known is not None else []
    writer.writerow([*UNIT, "predicted_divergence", "divergence", "expected_drop_points", *operators])
    for point in assignment.frontier:
        cost, tried = cost_document(point.cost), point.evaluation
        found = (point.predicted, tried and tried.divergence, tried and tried.expected_drop)
        row = [*cost.values(), *found, *point.bitwidths.weights.values()]
        writer.writerow(["" if value is None else value for value in row])
    return stream.getvalue()


def cost_document(cost: Cost) -> dict[str, float | None]:
    """Amounts by resource: bytes, seconds, joules."""
    figures = {resource: getattr(cost, resource) for resource in UNIT}
    return {resource: None if figure is None else figure.value for resource, figure in figures.items()}


def _point_document(point: FrontierPoint) -> dict[str, Any]:
    return {
        "bits": dict(point.bitwidths.weights),
        "cost": cost_document(point.cost),
        "predicted_divergence": point.predicted,
        "evaluation": _evaluation_document(point.evaluation),
    }


def _evaluation_document(found: Evaluation | None) -> dict[str, float | None] | None:
    """Means over the samples, not each sample."""
    if found is None:
        return None
    return {
        "divergence": found.divergence,
        "agreement": found.agreement,
        "expected_drop": found.expected_drop,
        "accuracy": found.accuracy,
        "float_accuracy": found.float_accuracy,
    }


def _operator_document(reason: OperatorReason) -> dict[str, Any]:
    document = asdict(reason)
    for name in ("chosen", "narrower", "wider"):
        width = getattr(reason, name)
        document[name] = width.bits if width is not None else None
    document["widths"] = [{**asdict(width), "blocked_by": list(width.blocked_by)} for width in reason.widths]
    return document


def _step(now: WidthReason, then: WidthReason | None) -> str:
    """`3: −288 B, +0.0041` or `6: +1,024 B, −0.0002, exceeds flash`."""
    if then is None:
        return ""
    parts = [f"{then.flash_bytes - now.flash_bytes:+,} B"]
    if now.latency_s is not None and then.latency_s is not None:
        parts.append(f"{1e3 * (then.latency_s - now.latency_s):+.2f} ms")
    if now.sensitivity is not None and then.sensitivity is not None:
        parts.append(f"{then.sensitivity - now.sensitivity:+.5f}")
    if then.blocked_by:
        parts.append("exceeds " + " and ".join(then.blocked_by))
    return f"{then.bits}: " + ", ".join(parts)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"
