"""Programs a board with the image that `build` left."""

from __future__ import annotations

from pathlib import Path

from sq_micro.measure.flash.flash import FlashOptions, FlashReport
from sq_micro.measure.flash.flash import flash as program
from sq_micro.stages.generate import generated
from sq_micro.stages.records import QuantizeRecord, load_record
from sq_micro.workspace import Stage, Workspace


def flash_image(
    workspace: Workspace,
    tool: str | None = None,
    probe: str | None = None,
    port: str | None = None,
    volume: Path | None = None,
    dry_run: bool = False,
) -> FlashReport:
    """Program, and verify: by the tool itself, or by asking the new firmware for its model hash."""
    board = generated(workspace).board
    wanted = load_record(workspace, QuantizeRecord).model_hash
    elf = workspace.need(Stage.BUILD, "firmware.elf").resolve()
    return program(board, elf, FlashOptions(tool, probe, port, volume, wanted, dry_run))
