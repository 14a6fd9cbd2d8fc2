"""The parts of `result.json` that say why: costs by width, plans seen, where error arises, where bytes lie."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sq_micro.ir.kernel_set import KernelSet
from sq_micro.report.record import Bits, Count, Fraction, Record

ResourceName = Literal["flash", "sram", "latency", "energy", "weights"]


class PackedWidthRecord(Record):
    """What one operator takes of memory at one width, known from its shape alone.

    weight_bytes       packed weights
    table_bytes        bias, multipliers, shifts, steps
    padding_bytes      between the arrays, in flash
    scratch_bytes      of the arena while the operator runs, with the fastest kernel
    weight_divergence  nats between its trained weights and the rounded ones, by histogram (SigmaQuant, equation 1)
    """

    bits: Bits
    weight_bytes: Count
    table_bytes: Count
    padding_bytes: Count
    scratch_bytes: Count
    weight_divergence: float


class WeightedOperatorRecord(Record):
    """One operator with weights; sigma is their standard deviation, batch normalisation folded in."""

    name: str
    kind: str
    weights: Count
    sigma: float
    widths: list[PackedWidthRecord]


class FidelityRecord(Record):
    """One operator's output against the float network's, both fed the same samples.

    sqnr_db  signal to quantization noise, 10 log10(Σ y² / Σ (y − ŷ)²); null where noise or signal is nothing
    cosine   of the angle between both outputs; null where either is nothing
    """

    name: str
    sqnr_db: float | None
    cosine: float | None


class SearchedWidthRecord(Record):
    """What a search found out about one operator at one width, the others as chosen.

    code_bytes  of its own function to the next word, read off an image (exact); null where none was built
    calls       bytes of the functions that it calls, by name; other operators may call them, too
    stack_bytes that the image sets aside on the operator's account (exact); null likewise
    cycles      modelled by running that image; null without an image or a counter
    damage      nats that this width adds to the outputs, all others at 8 bits, measured on calibration samples
    exceeds     the budgets that would not be met
    """

    bits: Bits
    code_bytes: Count | None
    calls: dict[str, Count]
    stack_bytes: Count | None = None
    cycles: Count | None
    damage: float | None
    exceeds: list[ResourceName]


class SearchedOperatorRecord(Record):
    """One operator; `pinned` where the person decided its width."""

    name: str
    pinned: bool
    widths: list[SearchedWidthRecord]


class TrialRecord(Record):
    """A plan tried on calibration samples; accuracies are null without labels.

    divergence            nats between the outputs of both networks
    agreement             share of samples on which both decide alike
    expected_drop_points  accuracy lost by the float network's own probabilities
    """

    divergence: float
    agreement: Fraction
    expected_drop_points: float
    accuracy: Fraction | None
    float_accuracy: Fraction | None


class PlanPointRecord(Record):
    """A plan that was seen. origin: an allocator's name with its setting, as `uniform 4`, or `searched`.

    flash_bytes is null where only packed weights were counted; costs are as predicted, before any image
    """

    origin: str
    bits: dict[str, Bits]
    weight_bytes: Count
    flash_bytes: Count | None
    sram_bytes: Count | None
    latency_s: float | None
    energy_j: float | None
    predicted_divergence: float | None
    trial: TrialRecord | None


class KernelChoiceRecord(Record):
    """An operator with a set of kernels, all else as chosen: what it would take more than with the chosen ones.

    exceeds  the budgets that it would exceed
    """

    name: str
    kernels: KernelSet
    chosen: bool
    flash_bytes: int
    latency_s: float | None
    exceeds: list[ResourceName]


class PriceRecord(Record):
    """What `amount` more of a budget (bytes, seconds, joules) would gain: nats, and points of expected accuracy."""

    resource: ResourceName
    amount: float
    gain: float
    gain_points: float | None


class ConfusionRecord(Record):
    """Samples by label (row) and decision (column), of the float network and of the integers."""

    float_network: list[list[Count]]
    quantized: list[list[Count]]


class ArenaBufferRecord(Record):
    """A buffer of the arena, in use from operator `first` to `last` of the plan, both included.

    tensors  those that live in it; empty for scratch, which then names its operator
    """

    name: str
    tensors: list[str]
    scratch_of: str | None
    offset_bytes: Count
    size_bytes: Count
    first: Count
    last: Count


class PatchesRecord(Record):
    """The first operators where they run patch by patch: what lies in the buffers between them are parts of tensors.

    height, width  of a patch, in pixels of the last operator's output
    computed       by operator, pixels of its output that are computed over those that there are
    slowdowns      by operator, its time over that with its output as a whole; modelled
    """

    operators: list[str]
    patches: Count
    height: Count
    width: Count
    computed: list[Annotated[float, Field(ge=1.0)]]
    slowdowns: list[Annotated[float, Field(gt=0.0)]]


class ArenaShareRecord(Record):
    """The part of a divided arena that lies in one region; offsets count through all of them, one behind the other.

    lower_bound_bytes  no placement of its buffers is smaller
    accessed_bytes     that an inference loads and stores there; modelled, counted from the kernels' walks
    """

    region: str
    offset_bytes: Count
    size_bytes: Count
    lower_bound_bytes: Count
    accessed_bytes: Count


class ArenaPlanRecord(Record):
    """Where every tensor lies, and when. Buffers overlap as far as an operator may write over its input.

    operators      all of them in execution order, Reshape included
    peak_operator  the one at which most is in use
    loss           the largest share of its time that an operator gives up for memory; modelled
    patches        null where every tensor is whole
    shares         of an arena that is divided over regions; empty where it lies in one
    least_slow_accesses  bytes loaded and stored below the fastest level, times the level, of any division; null
                   where there is none
    """

    operators: list[str]
    peak_operator: str
    buffers: list[ArenaBufferRecord]
    loss: Annotated[float, Field(ge=0.0)]
    patches: PatchesRecord | None = None
    shares: list[ArenaShareRecord] = Field(default_factory=list)
    least_slow_accesses: Count | None = None

    def region_at(self, offset_bytes: int) -> str:
        """The region that an offset of a divided arena lies in."""
        return next(share.region for share in reversed(self.shares) if share.offset_bytes <= offset_bytes)

    @property
    def share_bytes(self) -> dict[str, int]:
        """By region, of an arena that is divided."""
        return {share.region: share.size_bytes for share in self.shares}


class ArenaBoxRecord(Record):
    """Plans of one arena: for each operator of the table the groups from `first` to `last`, both included."""

    first: list[Count]
    last: list[Count]
    arena_bytes: Count


class ArenaTableRecord(Record):
    """The arena's size for other widths. `operators` are those whose width can change it.

    groups  for each of them its widths, those that want the same memory together
    boxes   every choice of a group per operator lies in exactly one
    proven  no plan can have another size than its box; else a few bytes may be saved or lost where nobody tried
    """

    operators: list[str]
    groups: list[list[list[Bits]]]
    boxes: list[ArenaBoxRecord]
    proven: bool
