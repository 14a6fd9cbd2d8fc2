"""The boards whose Renode files are kept, and what is generated for each."""

from __future__ import annotations

from pathlib import Path

from sq_micro.board import board_ids, load_board
from sq_micro.measure.renode.platform import platform_text
from sq_micro.measure.renode.script import link_script, pty_terminal, robot_test, run_script, socket_terminal

BOARDS = tuple(name for name in board_ids() if load_board(name).renode is not None)


def golden_files(name: str) -> dict[str, str]:
    """File name → text, as for an ELF beside the files; whole paths are put as the word FOLDER."""
    board, folder = load_board(name), Path("FOLDER").resolve()
    texts = {
        "board.repl": platform_text(board),
        "run.resc": run_script(board, "../firmware.elf"),
        "firmware.robot": robot_test(board, "../firmware.elf", "digits"),
        "link_pty.resc": link_script(folder / "board.repl", folder / "firmware.elf", pty_terminal(folder / "uart")),
        "link_socket.resc": link_script(folder / "board.repl", folder / "firmware.elf", socket_terminal(34999)),
    }
    return {file: text.replace(folder.as_posix(), "FOLDER") for file, text in texts.items()}
