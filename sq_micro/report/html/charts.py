"""The two drawings that need axes: plans over bytes, and the arena over time."""

from __future__ import annotations

from math import floor, log10

from sq_micro.report.evidence import ArenaPlanRecord, PlanPointRecord
from sq_micro.report.html.marks import Dot, Drawing, Mark, Rect, Shape, Text, line, ticks
from sq_micro.report.html.views import ChartView, TableView
from sq_micro.report.result import AssignmentRecord, Result

_WIDTH, _LEFT, _RIGHT, _TOP = 1000, 74, 16, 18
_PLANS_HEIGHT, _ARENA_HEIGHT = 400, 360
_LEAST_DIVERGENCE = 1e-6  # nats: what lies below is drawn there
_LARGE_BYTES = 20_000  # an axis that reaches further counts in KiB
_CHARACTER = 6.6  # width of one at the size of labels


def plans_chart(result: Result, assignment: AssignmentRecord) -> ChartView | None:
    """Divergence over bytes of every plan seen; None where none has either."""
    whole = all(plan.flash_bytes is not None for plan in assignment.plans)
    known = _drawn(assignment.plans, result)
    if not known:
        return None
    axes = _Axes([_size(plan, whole) for plan in known], [_divergence(plan) or 0.0 for plan in known])
    marks: list[Mark] = [*axes.marks("flash of the image, predicted" if whole else "packed weights")]
    uniform = sorted((plan for plan in known if plan.origin.startswith("uniform")), key=lambda plan: plan.origin)
    marks.append(line([axes.at(_size(plan, whole), _divergence(plan)) for plan in uniform], "uniform-line"))
    budget = assignment.budget.flash_bytes if whole else assignment.budget.weight_bytes
    if budget is not None and axes.low <= budget <= axes.high:
        x, _ = axes.at(budget, _LEAST_DIVERGENCE)
        marks += [
            line([(x, _TOP), (x, _PLANS_HEIGHT - 46)], "bound"),
            Text(x - 5, _TOP + 10, "budget", "label", "end"),
        ]
    for plan in known:
        x, y = axes.at(_size(plan, whole), _divergence(plan))
        marks.append(Dot(x, y, _style(plan, result), _tip(plan, whole), _shape(plan, result)))
    for plan in uniform:
        x, y = axes.at(_size(plan, whole), _divergence(plan))
        marks.append(Text(x, y - 10, plan.origin.removeprefix("uniform "), "label strong"))
    rows = tuple(_row(plan, whole, result) for plan in sorted(known, key=lambda plan: _size(plan, whole)))
    head = ("plan", "bytes", "divergence (nats)", "expected loss (points)", "bits in order")
    description = (
        f"{len(known)} plans by {'flash' if whole else 'packed weights'} and divergence from the float network on"
        " calibration samples; lower and further left is better."
    )
    return ChartView(Drawing(_WIDTH, _PLANS_HEIGHT, tuple(marks)), description, TableView(head, rows))


def _drawn(plans: list[PlanPointRecord], result: Result) -> list[PlanPointRecord]:
    """Each plan once, as tried where it was, in the order of drawing: what is chosen lies on top."""
    found: dict[tuple[int, ...], PlanPointRecord] = {}
    for plan in plans:
        key = tuple(plan.bits.values())
        if _divergence(plan) is not None and (key not in found or found[key].trial is None):
            found[key] = plan
    return sorted(found.values(), key=lambda plan: (_is_chosen(plan, result), plan.trial is not None))


class _Axes:
    """Bytes to the right, divergence upwards in powers of ten."""

    def __init__(self, sizes: list[float], divergences: list[float]) -> None:
        margin = 0.06 * (max(sizes) - min(sizes)) or 0.05 * max(sizes)
        self.low, self.high = max(0.0, min(sizes) - margin), max(sizes) + margin
        floors = [max(value, _LEAST_DIVERGENCE) for value in divergences]
        self.bottom, self.top = floor(log10(min(floors))), floor(log10(max(floors))) + 1

    def at(self, size: float, divergence: float | None) -> tuple[float, float]:
        x = _LEFT + (size - self.low) / (self.high - self.low) * (_WIDTH - _LEFT - _RIGHT)
        height = _PLANS_HEIGHT - _TOP - 46
        decades = log10(max(divergence or 0.0, _LEAST_DIVERGENCE)) - self.bottom
        return x, _TOP + height * (1 - decades / (self.top - self.bottom))

    def marks(self, title: str) -> list[Mark]:
        found: list[Mark] = []
        for power in range(self.bottom, self.top + 1):
            _, y = self.at(self.low, 10.0**power)
            found += [line([(_LEFT, y), (_WIDTH - _RIGHT, y)], "grid")]
            found += [Text(_LEFT - 8, y + 4, f"{10.0**power:g}", anchor="end")]
        unit, factor = ("KiB", 1024) if self.high >= _LARGE_BYTES else ("bytes", 1)
        for tick in ticks(self.low / factor, self.high / factor):
            x, _ = self.at(tick * factor, 1.0)
            found.append(Text(x, _PLANS_HEIGHT - 26, f"{tick:,.10g}"))
        found.append(Text((_LEFT + _WIDTH) / 2, _PLANS_HEIGHT - 6, f"{title} [{unit}]", "axis"))
        found.append(Text(14, _PLANS_HEIGHT / 2 - 14, "divergence [nats]", "axis", turn=-90))
        return found


def arena_chart(plan: ArenaPlanRecord, arena_bytes: int) -> ChartView:
    """Where each buffer lies while which operators run."""
    columns = len(plan.operators)
    left, bottom = _LEFT, _ARENA_HEIGHT - 64
    step = (_WIDTH - left - _RIGHT) / columns
    scale = (bottom - _TOP) / max(arena_bytes, 1)
    marks: list[Mark] = []
    for tick in ticks(0, arena_bytes, 5):
        y = bottom - tick * scale
        marks += [line([(left, y), (_WIDTH - _RIGHT, y)], "grid"), Text(left - 8, y + 4, f"{tick:,.0f}", anchor="end")]
    for buffer in plan.buffers:
        width, height = step * (buffer.last - buffer.first + 1) - 2, max(buffer.size_bytes * scale - 1, 1.5)
        x, y = left + step * buffer.first + 1, bottom - (buffer.offset_bytes + buffer.size_bytes) * scale
        tip = f"{buffer.name}: {buffer.size_bytes:,} B at {buffer.offset_bytes:,}"
        text = buffer.name if height > 15 else ""
        if len(text) * _CHARACTER > width - 8:
            text = f"{text[: int((width - 8) / _CHARACTER) - 1]}…" if width > 40 else ""
        marks.append(Rect(x, y, width, height, "scratch" if buffer.scratch_of else "tensor", tip, text))
    for share in plan.shares:
        y = bottom - share.offset_bytes * scale
        if share.offset_bytes:
            marks.append(line([(left, y), (_WIDTH - _RIGHT, y)], "bound"))
        below = y - share.size_bytes * scale + 12
        marks.append(Text(_WIDTH - _RIGHT, below, f"{share.region} {share.size_bytes:,} B", "label strong", "end"))
    top = bottom - arena_bytes * scale
    marks += [line([(left, top), (_WIDTH - _RIGHT, top)], "bound"), line([(left, bottom), (_WIDTH, bottom)], "base")]
    marks.append(Text(_WIDTH - _RIGHT, top - 5, f"arena {arena_bytes:,} B", "label strong", "end"))
    for index, name in enumerate(plan.operators):
        short = name if len(name) <= 11 else f"{name[:10]}…"
        marks.append(Text(left + step * (index + 0.5) + 3, bottom + 12, short, "label", "end", turn=-35))
    marks.append(Text(14, (bottom + _TOP) / 2, "offset [bytes]", "axis", turn=-90))
    rows = tuple(
        (
            buffer.name,
            f"{buffer.offset_bytes:,}",
            f"{buffer.size_bytes:,}",
            plan.operators[buffer.first],
            plan.operators[buffer.last],
            *((plan.region_at(buffer.offset_bytes),) if plan.shares else ()),
        )
        for buffer in plan.buffers
    )
    head = ("buffer", "offset", "bytes", "from operator", "to operator", *(("region",) if plan.shares else ()))
    description = f"{len(plan.buffers)} buffers in an arena of {arena_bytes:,} bytes, over {columns} operators."
    if plan.shares:
        parts = " and ".join(f"{size:,} bytes in {region}" for region, size in plan.share_bytes.items())
        description += f" It is divided: {parts}, drawn one above the other."
    return ChartView(Drawing(_WIDTH, _ARENA_HEIGHT, tuple(marks)), description, TableView(head, rows))


def _size(plan: PlanPointRecord, whole: bool) -> float:
    return float(plan.flash_bytes or 0) if whole else float(plan.weight_bytes)


def _divergence(plan: PlanPointRecord) -> float | None:
    """As tried, else as predicted."""
    return plan.trial.divergence if plan.trial is not None else plan.predicted_divergence


def _is_chosen(plan: PlanPointRecord, result: Result) -> bool:
    return plan.bits == result.bits.weights


def _style(plan: PlanPointRecord, result: Result) -> str:
    tried = "tried" if plan.trial is not None else "predicted"
    if _is_chosen(plan, result):
        return "point chosen tried"
    family = "uniform" if plan.origin.startswith("uniform") else "searched" if plan.origin == "searched" else "rule"
    return f"point {family} {tried}"


def _shape(plan: PlanPointRecord, result: Result) -> Shape:
    if _is_chosen(plan, result):
        return "star"
    if plan.origin.startswith("uniform"):
        return "square"
    return "circle" if plan.origin == "searched" else "diamond"


def _tip(plan: PlanPointRecord, whole: bool) -> str:
    value = _divergence(plan) or 0.0
    known = "tried" if plan.trial is not None else "predicted"
    return f"{plan.origin}: {_size(plan, whole):,.0f} B, {value:.2g} nats {known}; bits {_bits(plan)}"


def _row(plan: PlanPointRecord, whole: bool, result: Result) -> tuple[str, ...]:
    value, tried = _divergence(plan) or 0.0, plan.trial
    return (
        f"{plan.origin} (chosen)" if _is_chosen(plan, result) else plan.origin,
        f"{_size(plan, whole):,.0f}",
        f"{value:.2g} {'tried' if tried else 'predicted'}",
        f"{tried.expected_drop_points:.2f}" if tried else "",
        _bits(plan),
    )


def _bits(plan: PlanPointRecord) -> str:
    return " ".join(map(str, plan.bits.values()))
