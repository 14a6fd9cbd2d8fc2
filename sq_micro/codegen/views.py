"""What the templates see: frozen dataclasses whose fields are finished C text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArrayView:
    """`const <type> <symbol>[<length>]`; `what` is said in a comment above it."""

    type: str
    symbol: str
    length: int
    lines: tuple[str, ...]
    what: str


@dataclass(frozen=True, slots=True)
class FieldView:
    """`.<name> = <value>,` of an initialiser."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class OperatorView:
    """One C function: a params struct and the calls of a nest.

    called    the function that computes the output; None where that of a later operator does
    template  file under `operators/`
    params    the initialiser of the params struct
    calls     complete statements (Concatenate has one per input)
    places    lines of the table of addresses that calls read as `at[…]`; empty where they name them
    pieces    the initialiser of the struct that says how activations of 4 bits are gone through; empty without any
    """

    index: int
    symbol: str
    called: str | None
    name: str
    summary: str
    template: str
    nest: str
    params: tuple[FieldView, ...]
    calls: tuple[str, ...]
    places: tuple[str, ...] = ()
    pieces: tuple[FieldView, ...] = ()


@dataclass(frozen=True, slots=True)
class PartView:
    """An operator that runs in patches: its function, and what its windows are along rows and columns."""

    index: int
    name: str
    symbol: str
    rows: str
    columns: str


@dataclass(frozen=True, slots=True)
class HeadView:
    """The loop over patches of height x width of the last output; `patch` has the arguments of sqm_patch_at."""

    symbol: str
    summary: str
    parts: tuple[PartView, ...]
    input_height: int
    input_width: int
    output_height: int
    output_width: int
    height: int
    width: int
    patch: str


@dataclass(frozen=True, slots=True)
class ShareView:
    """An array of an arena that is divided over regions; `suffix` ends all its names, `offset` counts through all."""

    suffix: str
    region: str
    offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place in an array of the arena: the expression of its address; the array's suffix, and the offset in it."""

    address: str
    suffix: str
    offset: int


@dataclass(frozen=True, slots=True)
class ModelView:
    """A whole model. Scales are decimal text that reads back to the same float32."""

    name: str
    prefix: str
    macro: str
    title: str
    version: str
    model_hash: str
    hash_bytes: str
    summary: tuple[str, ...]
    includes: tuple[str, ...]
    isa_folder: str
    operators: tuple[OperatorView, ...]
    head: HeadView | None
    arrays: tuple[ArrayView, ...]
    input_shape: str
    output_shape: str
    input_bytes: int
    output_bytes: int
    input_scale: str
    input_zero_point: int
    output_scale: str
    output_zero_point: int
    input_place: PlaceView
    output_place: PlaceView
    arena_bytes: int
    shares: tuple[ShareView, ...]
    weight_bytes: int
    table_bytes: int


@dataclass(frozen=True, slots=True)
class RegionView:
    """A RAM of the linker script."""

    name: str
    origin: str
    bytes: str


@dataclass(frozen=True, slots=True)
class ArenaView:
    """A section of the linker script: `suffix` ends its names, `symbols` begins those of its ends."""

    suffix: str
    symbols: str
    region: str


@dataclass(frozen=True, slots=True)
class BoardView:
    """What the firmware of one board needs besides the model.

    more_regions  RAM beside the main one that stack or arena lie in
    arenas        one, or one for each region that has a share
    """

    id: str
    title: str
    name_literal: str
    isa_literal: str
    architecture: str
    soc: str
    uart_driver: str
    cycle_counter: str
    clock_hz: str
    uart_base: str
    uart_baud: str
    uart_clock_hz: str
    has_fpu: str
    core_flags: str
    flash_origin: str
    flash_bytes: str
    data_load_region: str
    sram_origin: str
    sram_bytes: str
    more_regions: tuple[RegionView, ...]
    stack_region: str
    arenas: tuple[ArenaView, ...]
    stack_bytes: int
