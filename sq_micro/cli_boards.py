"""`sq-micro boards`: what boards there are, and every number of one with its source."""

from __future__ import annotations

import json as json_text
from typing import Annotated

import typer

from sq_micro.board import Board, board_ids, load_board
from sq_micro.cli_options import help_without_command
from sq_micro.console import errors_as_exit_codes
from sq_micro.simulate.cycles.table import find_cycle_table
from sq_micro.stages.board_check import check_board
from sq_micro.toolchain.compiler import CompilerChoice

boards_app = typer.Typer(help="The boards that sq-micro knows.", rich_markup_mode=None)
boards_app.callback(invoke_without_command=True)(help_without_command)

Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout, nothing else")]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an error")]


@boards_app.command("list")
def list_boards(json: Json = False, debug: Debug = False) -> None:
    """One line a board."""
    with errors_as_exit_codes(debug):
        boards = [load_board(board) for board in board_ids()]
        if json:
            print(json_text.dumps([_document(board) for board in boards], indent=2))
            return
        for board in boards:
            print(f"{board}, links: {', '.join(board.links)}")


def _complete(incomplete: str) -> list[str]:
    return [board for board in board_ids() if board.startswith(incomplete)]


@boards_app.command()
def show(
    board: Annotated[str, typer.Argument(help="board id, or a .toml file", autocompletion=_complete)],
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Everything known of one board, with the source of each number."""
    with errors_as_exit_codes(debug):
        known = load_board(board)
        if json:
            print(json_text.dumps(_document(known), indent=2))
            return
        print(known)
        print(
            f"tier {known.tier} ({TIERS[known.tier]}), stack {known.stack_bytes:,} B, links: {', '.join(known.links)}"
        )
        if (table := find_cycle_table(known)) is not None:
            print(f"modelled cycles: {table.label}; error against silicon: {table.error}")
            print(f"they leave out: {known.leaves_out or 'not known'}")
        width = max((len(path) for path in known.sources), default=0)
        for path, source in known.sources.items():
            print(f"  {path:<{width}}  {source}")


@boards_app.command()
def check(
    board: Annotated[str, typer.Argument(help="board id, or a .toml file", autocompletion=_complete)],
    compiler: Annotated[CompilerChoice, typer.Option(help="auto, gcc or zig")] = "auto",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """All mistakes of a board file at once; then the smallest firmware is built, and run where that is possible."""
    with errors_as_exit_codes(debug):
        checked = check_board(board, compiler)
        known, hello = checked.board, checked.hello
        if json:
            answer = None if hello is None else {"link": checked.link, "cycle_counter": hello.cycle_counter}
            memory = checked.firmware.footprint
            print(
                json_text.dumps(
                    {
                        "id": known.id,
                        "compiler": checked.firmware.compiler,
                        "flash_bytes": memory.flash_bytes,
                        "sram_bytes": memory.sram_bytes,
                        "hello": answer,
                    },
                    indent=2,
                )
            )
            return
        print(known)
        print(f"built by {checked.firmware.compiler}: {checked.firmware.footprint.flash_bytes:,} B of flash")
        if hello is None:
            print("not run: no emulator here models it")
        else:
            print(f"answers HELLO on {checked.link} and computes what it should; cycle counter: {hello.cycle_counter}")


TIERS = {1: "measured in CI", 2: "measured by hand", 3: "built and simulated only"}


def _document(board: Board) -> dict[str, object]:
    table = find_cycle_table(board)
    return {
        "id": board.id,
        "title": board.title,
        "tier": board.tier,
        "core": board.core.name,
        "isa": board.core.isa,
        "clock_hz": board.core.clock_hz,
        "flash_bytes": board.flash.size_bytes if board.flash else None,
        "sram_bytes": board.sram.size_bytes if board.sram else None,
        "regions": {region.name: region.memory.size_bytes for region in board.regions},
        "stack_bytes": board.stack_bytes,
        "links": list(board.links),
        "cycle_model": (
            {"label": table.label, "error": table.error, "leaves_out": board.leaves_out} if table else None
        ),
        "sources": board.sources,
    }
