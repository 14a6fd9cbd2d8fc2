"""A board: what one buys, in numbers. One TOML file each in `boards/`; every number names its source.

`load_board("nucleo_l4r5zi")` or `load_board("my/board.toml")`. All mistakes of a file are reported at once,
each with its path in the file. docs/adding-a-board.md walks through a file.
"""

from sq_micro.board.arena_room import ArenaRoom, Space, arena_room
from sq_micro.board.board import (
    MAIN_REGION,
    Board,
    Core,
    CycleCounter,
    Memory,
    Qemu,
    ReadyBits,
    Region,
    Simulator,
    TimerRegister,
    Uart,
    UartDriver,
)
from sq_micro.board.connections import (
    Esptool,
    Flasher,
    MassStorage,
    OpenOcd,
    PyOcd,
    RegisterBlock,
    Renode,
    SerialWiring,
    Uf2,
)
from sq_micro.board.load import board_ids, boards_folder, load_board, read_board_file

__all__ = [
    "MAIN_REGION",
    "ArenaRoom",
    "Board",
    "Core",
    "CycleCounter",
    "Esptool",
    "Flasher",
    "MassStorage",
    "Memory",
    "OpenOcd",
    "PyOcd",
    "Qemu",
    "ReadyBits",
    "Region",
    "RegisterBlock",
    "Renode",
    "SerialWiring",
    "Simulator",
    "Space",
    "TimerRegister",
    "Uart",
    "UartDriver",
    "Uf2",
    "arena_room",
    "board_ids",
    "boards_folder",
    "load_board",
    "read_board_file",
]
