"""A board as Renode's platform description: exactly its memories, its core, its UART.

Renode's own platforms are not used: many fetch register lists from the network, few have a cycle counter, and their
memories are often larger than the part's, so that a firmware that overruns its RAM would pass.
"""

from __future__ import annotations

from sq_micro.board import Board, Uart
from sq_micro.errors import UsageError

# Instructions per microsecond of virtual time, and the rate of the counters: then a count is a number of instructions.
# Other pairs of numbers make Renode round to granules of several instructions.
MIPS = 100

_CORES = ("cortex-m0", "cortex-m0+", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
_LPUART_BASE = 0x4000_8000  # LPUART1 of every STM32 family whose USART the driver knows


def platform_text(board: Board) -> str:
    """The .repl file. Raises UsageError iff Renode models not the board's core or UART."""
    if board.flash is None or board.sram is None or board.renode is None:
        raise UsageError(f"board '{board.id}' has no [renode] table; it is not known how Renode could model it")
    if board.core.name not in _CORES:
        raise UsageError(
            f"board '{board.id}': Renode is not set up for {board.core.name}, only for {', '.join(_CORES)}"
        )
    # One entry a line, because the short form is the same in all versions of Renode.
    entries = [
        _entry("flash", "Memory.MappedMemory", board.flash.origin, f"size: {board.flash.size_bytes:#x}"),
        _entry("sram", "Memory.MappedMemory", board.sram.origin, f"size: {board.sram.size_bytes:#x}"),
        _entry(
            "nvic",
            "IRQControllers.NVIC",
            0xE000_E000,
            f"priorityMask: 0xF0; systickFrequency: {MIPS}000000; IRQ -> cpu@0",
        ),
        f'cpu: CPU.CortexM @ sysbus {{ cpuType: "{board.core.name}"; nvic: nvic; PerformanceInMips: {MIPS} }}',
    ]
    if board.core.cycle_counter == "dwt":
        entries.append(_entry("dwt", "Miscellaneous.DWT", 0xE000_1000, f"frequency: {MIPS}000000"))
    entries.append(_uart(board.uart))
    entries += [
        _entry(block.name, "Memory.ArrayMemory", block.origin, f"size: {block.size_bytes:#x}")
        for block in board.renode.registers
    ]
    return f"// {board.title}, as the board file has it. {MIPS} MIPS and {MIPS} MHz: counters count instructions.\n" + (
        "\n".join(entries) + "\n"
    )


def register_values(board: Board) -> tuple[tuple[int, int], ...]:
    """(address, value) of the registers that must read as ready, such as 'PLL locked', in address order."""
    values: dict[int, int] = {}
    for bits in board.simulator.ready if board.simulator else ():
        values[bits.address] = values.get(bits.address, 0) | bits.mask
    return tuple(sorted(values.items()))


def _uart(uart: Uart) -> str:
    if uart.driver == "cmsdk":
        return _entry("uart", "UART.CMSDK_APB_UART", uart.base, f"frequency: {uart.clock_hz}")
    if uart.driver == "stm32_usart":
        low_power = "; lowPowerMode: true" if uart.base == _LPUART_BASE else ""
        return _entry("uart", "UART.STM32F7_USART", uart.base, f"frequency: {uart.clock_hz}{low_power}")
    raise UsageError(f"Renode is not set up for UARTs of driver '{uart.driver}'; use --link simulator")


def _entry(name: str, model: str, origin: int, settings: str) -> str:
    return f"{name}: {model} @ sysbus {origin:#010x} {{ {settings} }}"
