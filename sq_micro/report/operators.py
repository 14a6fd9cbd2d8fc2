"""What a result knows of each operator that runs, brought together from its parts."""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.report.evidence import (
    FidelityRecord,
    PackedWidthRecord,
    SearchedOperatorRecord,
    SearchedWidthRecord,
    WeightedOperatorRecord,
)
from sq_micro.report.result import OperatorRecord, Result


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator that runs, with all that the result knows of it."""

    ran: OperatorRecord
    weighted: WeightedOperatorRecord | None
    searched: SearchedOperatorRecord | None
    fidelity: FidelityRecord | None

    @property
    def packed_width(self) -> PackedWidthRecord | None:
        """What it takes at its own width; None without weights."""
        widths = self.weighted.widths if self.weighted else ()
        return next((width for width in widths if width.bits == self.ran.weight_bits), None)

    @property
    def searched_width(self) -> SearchedWidthRecord | None:
        """What a search found out about its own width; None without a search, or without weights."""
        widths = self.searched.widths if self.searched else ()
        return next((width for width in widths if width.bits == self.ran.weight_bits), None)


def operators(result: Result) -> tuple[Operator, ...]:
    """In execution order."""
    weighted = {record.name: record for record in result.operators}
    fidelity = {record.name: record for record in result.fidelity}
    searched = {record.name: record for record in (result.assignment.operators if result.assignment else ())}
    return tuple(
        Operator(ran, weighted.get(ran.name), searched.get(ran.name), fidelity.get(ran.name))
        for ran in result.measurement.operators
    )
