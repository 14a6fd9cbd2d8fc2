"""Stage 4: compile, link, and read from the image what it takes."""

from __future__ import annotations

from sq_micro.board import MAIN_REGION, Board
from sq_micro.codegen.render import render_inputs
from sq_micro.errors import ToolchainError
from sq_micro.paths import write_atomically
from sq_micro.reference.golden_vectors import GoldenVectors
from sq_micro.report.result import BuildRecord, FlashRecord, MemoryRecord, RegionRecord, SramRecord
from sq_micro.stages.generate import generated
from sq_micro.stages.records import BuiltRecord, GenerateRecord, save_record
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import Firmware
from sq_micro.toolchain.firmware import build as build_image
from sq_micro.toolchain.pins import edge_pin
from sq_micro.toolchain.variant import Variant
from sq_micro.workspace import Stage, Workspace

_INPUTS = "carried_inputs.c"


def build(
    workspace: Workspace, compiler: CompilerChoice = "auto", bake: int = 0, edge: str | None = None
) -> BuiltRecord:
    """Build `firmware.elf` from what `generate` wrote. Raises DoesNotFitError or ToolchainError.

    bake  golden inputs to put into the image, at most as many as there are
    edge  a pin that follows the timed region, as `edge_pin` takes it; None: none does
    """
    known = generated(workspace)
    pin = None if edge is None else edge_pin(edge, known.board)
    golden = GoldenVectors.load(workspace.need(Stage.QUANTIZE, "07_golden.npz"))
    carried = golden.inputs[:bake].reshape(-1, golden.inputs[0].size)
    request = BuildRequest(
        model_dir=(workspace / "model").resolve(),
        board_dir=(workspace / "board").resolve(),
        build_dir=workspace.build_dir.resolve(),
        board=known.board,
        compiler=find_compiler(known.board, compiler),
        arena_bytes=known.record.arena_bytes,
        share_bytes=known.record.plan.share_bytes,
        variant=Variant(inputs=(workspace / _INPUTS).resolve() if len(carried) else None, edge=pin),
    )
    workspace.begin(Stage.BUILD)
    if len(carried):
        write_atomically(workspace / _INPUTS, render_inputs(carried))
    try:
        firmware = build_image(request)
    except ToolchainError:
        _publish_log(workspace)
        raise
    workspace.publish(firmware.elf, "firmware.elf")
    _publish_log(workspace)
    write_atomically(workspace / "09_sections.csv", firmware.footprint.csv())
    record = BuiltRecord(
        build=BuildRecord(compiler=firmware.compiler),
        memory=memory_record(firmware, known.record, known.board),
        carried_inputs=len(carried),
    )
    save_record(workspace, record)
    return record


def memory_record(firmware: Firmware, planned: GenerateRecord, board: Board) -> MemoryRecord:
    """The footprint of an image as it stands in the result; the stack in use is known only after measuring."""
    footprint = firmware.footprint
    return MemoryRecord(
        flash_bytes=FlashRecord(
            total=footprint.flash_bytes,
            weights=footprint.weights_bytes,
            code=footprint.code_bytes,
            tables=footprint.tables_bytes,
        ),
        sram_bytes=SramRecord(
            total=footprint.sram_bytes,
            arena=footprint.arena_bytes,
            stack=footprint.stack_bytes,
            static=footprint.static_bytes,
        ),
        regions=_regions(footprint.ram, board),
        arena_lower_bound_bytes=planned.arena_lower_bound_bytes,
        optimal=planned.arena_lower_bound_bytes == planned.arena_bytes,
        worst_case_stack_bytes=firmware.worst_stack_bytes,
        measured_stack_bytes=None,
        plan=None,
        arena_by_width=None,
    )


def _regions(sections: tuple[tuple[int, int], ...], board: Board) -> tuple[RegionRecord, ...]:
    if board.sram is None:
        return ()
    rams = {MAIN_REGION: board.sram, **{region.name: region.memory for region in board.regions}}
    return tuple(
        RegionRecord(
            name=name,
            size_bytes=memory.size_bytes,
            used_bytes=sum(
                size for address, size in sections if memory.origin <= address < memory.origin + memory.size_bytes
            ),
        )
        for name, memory in rams.items()
    )


def _publish_log(workspace: Workspace) -> None:
    log = workspace.build_dir / "build.log"
    if log.is_file():
        workspace.publish(log, "build.log")
