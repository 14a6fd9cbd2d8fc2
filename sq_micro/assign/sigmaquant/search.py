"""The two phases, on any budgets. Where the paper trains, `evaluate` rounds: training, if wanted, comes after.

Start. 8 bits everywhere, or whatever is widest.
Phase 1. Clusters of sigma give each operator one of the widths; a larger sigma more bits. While quality and size both
miss their buffers, lambda grows and the clusters are made again.
Phase 2. Quality missed: the two operators of highest score get the next width up. Size missed: the two of lowest score
get the next width down. Every step is tried. It ends in the target zone, without a move, or when `patience` steps in a
row bring nothing; the best plan is then restored.
"""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.assign.completion import cost_of, violations
from sq_micro.assign.costs import load
from sq_micro.assign.problem import Evaluate, Evaluation, Problem, Proposal
from sq_micro.assign.sigmaquant.cluster import cluster, normalised
from sq_micro.assign.sigmaquant.divergence import WeightStatistics, scores, weight_statistics
from sq_micro.assign.sigmaquant.options import SigmaQuantOptions
from sq_micro.assign.sigmaquant.zones import Position, Zone
from sq_micro.errors import UsageError
from sq_micro.ir.bitwidths import Bitwidths

Moves = dict[str, int]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the log: where the search was, and what it moved to get there."""

    phase: int
    number: int
    note: str
    moves: tuple[tuple[str, int, int], ...]
    bitwidths: Bitwidths
    evaluation: Evaluation
    drop: float
    position: Position
    zone: Zone
    weight_bytes: float

    def __str__(self) -> str:
        moved = ", ".join(f"{name} {before}→{after}" for name, before, after in self.moves) or self.note
        return (
            f"phase {self.phase} step {self.number}: {moved} | {self._accuracy}drop {self.drop:.2f} points, divergence"
            f" {self.evaluation.divergence:.4f}, weights {self.weight_bytes:,.0f} B,"
            f" {100 * self.position.load:.1f} % of the budget | {self.zone.value}"
        )

    @property
    def _accuracy(self) -> str:
        """On the labelled calibration samples, where there are labels."""
        accuracy = self.evaluation.accuracy
        return "" if accuracy is None else f"accuracy {100 * accuracy:.2f} %, "


def sigmaquant(problem: Problem, evaluate: Evaluate, options: SigmaQuantOptions | None = None) -> Proposal:
    """Run both phases. The proposal may miss its targets: `assign` says so."""
    search = Search(problem, evaluate, options or SigmaQuantOptions())
    search.start()
    if search.steps[-1].zone is not Zone.TARGET:
        search.phase_1()
    if search.steps[-1].zone not in (Zone.TARGET, Zone.ABANDON):
        search.phase_2()
    best = search.best()
    last = search.steps[-1]
    ending = f"kept: phase {best.phase} step {best.number} ({best.zone.value}); the last step was {last.number}"
    return Proposal(best.bitwidths, best.evaluation, log=(*map(str, search.steps), *search.notes, ending))


class Search:
    """The state of one run: every step so far, in order."""

    def __init__(self, problem: Problem, evaluate: Evaluate, options: SigmaQuantOptions) -> None:
        self.problem = problem
        self.options = options
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self._evaluate = evaluate
        self._free = [option.operator for option in problem.unpinned]
        for option in problem.unpinned:
            if not set(options.bits) <= set(option.bits):
                raise UsageError(f"sigmaquant needs {options.bits} bits for operator '{option.operator}'")
        widths = tuple(sorted({*options.bits, *problem.pins.values()}))
        known = weight_statistics(problem.graph, widths, options)
        self.statistics: tuple[WeightStatistics, ...] = tuple(s for s in known if s.operator in self._free)

    def start(self) -> None:
        """The plan that everything is compared with."""
        widest = max(self.options.bits)
        plan = self._complete({option.operator: widest for option in self.problem.unpinned})
        self._try(0, 0, f"{widest} bits", plan, ())

    def phase_1(self) -> None:
        """Clusters, with a growing lambda, until quality or size is inside its buffer."""
        options = self.options
        ordered = sorted(options.bits)
        for number in range(1, options.rounds + 1):
            penalty = options.penalty + (number - 1) * options.penalty_step
            widths: Moves = {}
            if self.statistics:
                values = normalised([s.sigma for s in self.statistics], options)
                labels = cluster(values, len(ordered), penalty)
                widths = {s.operator: ordered[label] for s, label in zip(self.statistics, labels, strict=True)}
            step = self._try(1, number, f"clusters with lambda {penalty:g}", self._complete(widths), ())
            if step.position.quality_near(options) or step.position.size_near(options):
                return

    def phase_2(self) -> None:
        """Steps of a few operators and one width each, towards the target zone."""
        stale = 0
        best = self._rank(self.best())
        for number in range(1, self.options.steps + 1):
            now = self.steps[-1]
            if now.zone is Zone.TARGET:
                return
            moves = self._moves(now)
            if not moves:
                self.notes.append("no operator can be moved any further in this direction")
                return
            widths = dict(now.bitwidths.weights)
            changed = tuple((name, widths[name], bits) for name, bits in moves.items())
            step = self._try(2, number, "", Bitwidths({**widths, **moves}), changed)
            rank = self._rank(step)
            stale = 0 if rank < best else stale + 1
            best = min(rank, best)
            if stale >= self.options.patience:
                self.notes.append(f"{stale} steps without improvement")
                return

    def best(self) -> Step:
        """The step whose plan is kept."""
        return min(self.steps, key=self._rank)

    def _rank(self, step: Step) -> tuple[float, float]:
        """Smaller is better."""
        distance = step.position.distance(self.options)
        if self.options.keep == "distance":
            return distance, step.evaluation.divergence
        return max(step.position.load - 1, 0.0), step.evaluation.divergence

    def _moves(self, now: Step) -> Moves:
        position, mode = now.position, self.options.both_missed
        if position.size_met:
            return self._raise(now, self.options.layers)
        if position.quality_met or mode == "decrease":
            return self._lower(now, self.options.layers)
        if mode == "increase":
            return self._raise(now, self.options.layers, beyond=True)
        up = self._raise(now, 1, beyond=True)
        return {**self._lower(now, 1, set(up)), **up}

    def _raise(self, now: Step, count: int, beyond: bool = False) -> Moves:
        """The operators of highest score go one width up, as far as there is room."""
        widths = dict(now.bitwidths.weights)
        moves: Moves = {}
        for name in self._by_score(now, highest_first=True):
            wider = [bits for bits in self.options.bits if bits > widths[name]]
            if not wider or len(moves) == count:
                continue
            candidate = {**widths, **moves, name: min(wider)}
            if self.options.need_room and not beyond and violations(self.problem, Bitwidths(candidate)):
                continue
            moves[name] = min(wider)
        return moves

    def _lower(self, now: Step, count: int, but: set[str] | None = None) -> Moves:
        """The operators of lowest score go one width down."""
        widths = now.bitwidths.weights
        moves: Moves = {}
        for name in self._by_score(now, highest_first=False):
            narrower = [bits for bits in self.options.bits if bits < widths[name]]
            if narrower and len(moves) < count and name not in (but or set()):
                moves[name] = max(narrower)
        return moves

    def _by_score(self, now: Step, highest_first: bool) -> list[str]:
        """Operators by the score of their present width; equal ones in execution order."""
        found = scores(self.statistics, dict(now.bitwidths.weights), self.options)
        return sorted(self._free, key=lambda name: -found[name] if highest_first else found[name])

    def _complete(self, widths: Moves) -> Bitwidths:
        return Bitwidths(
            {o.operator: self.problem.pins.get(o.operator) or widths[o.operator] for o in self.problem.options}
        )

    def _try(
        self, phase: int, number: int, note: str, plan: Bitwidths, moves: tuple[tuple[str, int, int], ...]
    ) -> Step:
        evaluation = self._evaluate([plan])[0]
        cost = cost_of(self.problem, plan)
        allowed = self.problem.max_drop if self.problem.max_drop is not None else self.options.max_drop
        drop = self._drop(evaluation)
        position = Position(drop - allowed, load(self.problem, cost))
        zone = position.zone(self.options)
        step = Step(phase, number, note, moves, plan, evaluation, drop, position, zone, cost.weights.value)
        self.steps.append(step)
        return step

    def _drop(self, evaluation: Evaluation) -> float:
        counted = evaluation.counted_drop
        return evaluation.expected_drop if counted is None or self.options.quality == "expected" else counted
