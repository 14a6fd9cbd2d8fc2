"""The arena of every other plan, from few plans that are made: between two of one size all are of that size.

More scratch, or less that an output may lie over, never makes the smallest arena smaller. So in a box of plans, from
the least memory that each operator asks for to the most, all have one arena where both corners have. A box that has two
sizes is cut where the operator that matters most reaches the larger one; what is above the cut is a box of one size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sq_micro.board import ArenaRoom, Board
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.operators import WeightedOperator
from sq_micro.ir.topology import Topology
from sq_micro.kernels.at_rest import choices_at_rest
from sq_micro.kernels.overlap import Overlap
from sq_micro.kernels.select import KernelChoice, within_loss
from sq_micro.kernels.tiling import LOSSES
from sq_micro.plan.plan import Plan, make_plan
from sq_micro.report.evidence import ArenaBoxRecord, ArenaTableRecord

_MOST_PLANS = 256  # that are made for the table; each takes milliseconds, of large networks some tens of them
_MOST_DIVIDED = 32  # a division takes up to some tenths of a second

Place = tuple[int, ...]  # for each operator the position of its group of widths, the least memory first


def arena_table_record(
    topology: Topology,
    bitwidths: Bitwidths,
    board: Board,
    sets: Mapping[str, KernelSet],
    room: ArenaRoom | None = None,
) -> ArenaTableRecord | None:
    """The arena of any plan; None where too many plans would have to be made, or one of them runs in patches.

    Widths whose kernels want the same memory are one group. Operators whose group never matters are left out.

    bitwidths  those of activations hold for every plan; those of weights are not looked at
    sets       of kernels, by operator, that every plan takes
    room       over which an arena is divided that no region holds; such a one is never proven
    """
    isa = board.core.isa
    groups = [_groups(op, topology, bitwidths, isa, sets[op.name]) for op in topology.weighted()]
    search = _Search(topology, bitwidths, isa, sets, room, groups)
    last = tuple(len(groups) - 1 for groups in search.groups)
    try:
        search.cover((0,) * len(last), last)
    except _NoTableError:
        return None
    kept = [
        axis
        for axis, most in enumerate(last)
        if any(box.first[axis] > 0 or box.last[axis] < most for box in search.boxes)
    ]
    names = [operator.name for operator in topology.weighted()]
    boxes = [
        ArenaBoxRecord(
            first=[box.first[axis] for axis in kept],
            last=[box.last[axis] for axis in kept],
            arena_bytes=box.arena_bytes,
        )
        for box in search.boxes
    ]
    return ArenaTableRecord.model_validate(
        {
            "operators": [names[axis] for axis in kept],
            "groups": [[group.widths for group in search.groups[axis]] for axis in kept],
            "boxes": boxes,
            "proven": all(box.proven for box in search.boxes),
        }
    )


def usual(
    operator: WeightedOperator, topology: Topology, bitwidths: Bitwidths, isa: str, kernels: KernelSet
) -> KernelChoice:
    """The kernel of a set that is taken where the arena is not too large."""
    return within_loss(choices_at_rest(operator, topology, bitwidths, isa, kernels), LOSSES[0])


@dataclass(frozen=True, slots=True)
class _Group:
    """Widths that want the same memory of the arena."""

    widths: tuple[int, ...]
    scratch_bytes: int
    overlaps: Mapping[str, Overlap]

    def asks_no_more_than(self, other: _Group) -> bool:
        """Whether whatever serves the other one serves this one."""
        return self.scratch_bytes <= other.scratch_bytes and all(
            tensor in self.overlaps and _allows_all(self.overlaps[tensor], overlap)
            for tensor, overlap in other.overlaps.items()
        )


def _allows_all(looser: Overlap, stricter: Overlap) -> bool:
    bounds = looser.below_bytes >= stricter.below_bytes and looser.above_bytes <= stricter.above_bytes
    return bounds and (looser.allows(0) or not stricter.allows(0))


def _groups(
    operator: WeightedOperator, topology: Topology, bitwidths: Bitwidths, isa: str, kernels: KernelSet
) -> list[_Group]:
    """The least scratch first."""
    found: dict[tuple[int, tuple[tuple[str, Overlap], ...]], list[int]] = {}
    for bits in sorted(WEIGHT_BITS):
        choice = usual(operator, topology, Bitwidths({operator.name: bits}, bitwidths.activations), isa, kernels)
        found.setdefault((choice.scratch_bytes, tuple(choice.overlaps.items())), []).append(bits)
    ordered = sorted(found.items(), key=lambda item: (item[0][0], item[1]))
    return [_Group(tuple(widths), scratch, dict(overlaps)) for (scratch, overlaps), widths in ordered]


@dataclass(frozen=True, slots=True)
class _Box:
    """All plans from `first` to `last`; proven where no plan in it can have another size."""

    first: Place
    last: Place
    arena_bytes: int
    proven: bool


class _NoTableError(Exception):
    """Too many plans, or one in patches, whose arena does not follow from those of others."""


@dataclass(slots=True)
class _Search:
    topology: Topology
    bitwidths: Bitwidths
    isa: str
    sets: Mapping[str, KernelSet]
    room: ArenaRoom | None
    groups: list[list[_Group]]
    boxes: list[_Box] = field(default_factory=list)
    _made: dict[Place, Plan] = field(default_factory=dict)

    def cover(self, first: Place, last: Place) -> None:
        """Add boxes of one size each that hold all plans from `first` to `last`."""
        least, most = self._plan(first), self._plan(last)
        if least.arena_bytes == most.arena_bytes:
            whole = self.room is None  # a division is the one of the fewest slow accesses, not of the fewest bytes
            proven = whole and ((least.optimal and self._is_chain(first, last)) or first == last)
            self.boxes.append(_Box(first, last, least.arena_bytes, proven))
            return
        axis, cut = self._cut(first, last, most.arena_bytes)
        self.cover(_at(first, axis, cut), last)
        self.cover(first, _at(last, axis, cut - 1))

    def _cut(self, first: Place, last: Place, most_bytes: int) -> tuple[int, int]:
        """(the operator that alone adds most to the arena, the first of its groups that makes it as large as any)."""
        open_axes = [axis for axis, (low, high) in enumerate(zip(first, last, strict=True)) if low < high]
        axis = max(open_axes, key=lambda axis: self._plan(_at(first, axis, last[axis])).arena_bytes)
        for group in range(first[axis] + 1, last[axis]):
            if self._plan(_at(first, axis, group)).arena_bytes >= most_bytes:
                return axis, group
        return axis, last[axis]

    def _is_chain(self, first: Place, last: Place) -> bool:
        """Whether along every operator each group asks for no more than the next."""
        return all(
            groups[position].asks_no_more_than(groups[position + 1])
            for groups, low, high in zip(self.groups, first, last, strict=True)
            for position in range(low, high)
        )

    def _plan(self, place: Place) -> Plan:
        if place not in self._made:
            if len(self._made) == (_MOST_PLANS if self.room is None else _MOST_DIVIDED):
                raise _NoTableError
            chosen = zip(self.topology.weighted(), self.groups, place, strict=True)
            widths = {operator.name: groups[position].widths[0] for operator, groups, position in chosen}
            plan_bits = Bitwidths(widths, self.bitwidths.activations)
            plan = make_plan(self.topology, plan_bits, self.isa, sets=self.sets, room=self.room)
            if plan.head is not None:
                raise _NoTableError
            self._made[place] = plan
        return self._made[place]


def _at(place: Place, axis: int, position: int) -> Place:
    return (*place[:axis], position, *place[axis + 1 :])
