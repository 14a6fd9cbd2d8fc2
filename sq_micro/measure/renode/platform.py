"""A board as Renode's platform description: exactly its memories, its core, its UART.

Renode's own platforms are not used: many fetch register lists from the network, few have a cycle counter, and their
memories are often larger than the part's, so that a firmware that overruns its RAM would pass.
"""

from __future__ import annotations

from sq_micro.board import Board, Memory, Uart
from sq_micro.errors import UsageError

# Instructions per microsecond of virtual time, and the rate of the counters: then a count is a number of instructions.
# Other pairs of numbers make Renode round to granules of several instructions.
MIPS = 100

_CORES = ("cortex-m0", "cortex-m0+", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
_LPUART_BASE = 0x4000_8000  # LPUART1 of every STM32 family whose USART the driver knows

_UART_MODELS = {
    "cmsdk": "CMSDK_APB_UART",
    "stm32_usart": "STM32F7_USART",
    "stm32f4_usart": "STM32_UART",
    "nrf_uart": "NRF52840_UART",
}
_WITH_SIZE = ("STM32_UART",)  # models that do not know their own
_WITHOUT_CLOCK = ("NRF52840_UART",)


def platform_text(board: Board) -> str:
    """The .repl file. Raises UsageError iff Renode models not the board's core or UART."""
    if board.flash is None or board.sram is None or board.renode is None:
        raise UsageError(f"board '{board.id}' has no [renode] table; it is not known how Renode could model it")
    # One entry a line, because the short form is the same in all versions of Renode.
    entries = [
        _memory("flash", board.flash),
        _memory("sram", board.sram),
        *(_memory(region.name, region.memory) for region in board.regions),
        *_core(board),
        _uart(board.uart),
    ]
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


def _core(board: Board) -> list[str]:
    """The core with what counts in it. Raises UsageError iff Renode models not the core."""
    core = board.core
    if core.name not in _CORES:
        raise UsageError(f"board '{board.id}': Renode is not set up for {core.name}, only for {', '.join(_CORES)}")
    counter = _entry("dwt", "Miscellaneous.DWT", 0xE000_1000, f"frequency: {MIPS}000000")
    return [
        _entry(
            "nvic",
            "IRQControllers.NVIC",
            0xE000_E000,
            f"priorityMask: 0xF0; systickFrequency: {MIPS}000000; IRQ -> cpu@0",
        ),
        f'cpu: CPU.CortexM @ sysbus {{ cpuType: "{core.name}"; nvic: nvic; PerformanceInMips: {MIPS} }}',
        *([counter] if core.cycle_counter == "dwt" else []),
    ]


def _uart(uart: Uart) -> str:
    model = _UART_MODELS.get(uart.driver)
    if model is None:
        raise UsageError(f"Renode is not set up for UARTs of driver '{uart.driver}'; use --link simulator")
    settings = [] if model in _WITHOUT_CLOCK else [f"frequency: {uart.clock_hz}"]
    if uart.driver == "stm32_usart" and uart.base == _LPUART_BASE:
        settings.append("lowPowerMode: true")
    place = f"<{uart.base:#010x}, +0x100>" if model in _WITH_SIZE else f"{uart.base:#010x}"
    return f"uart: UART.{model} @ sysbus {place}" + (f" {{ {'; '.join(settings)} }}" if settings else "")


def _memory(name: str, memory: Memory) -> str:
    return _entry(name, "Memory.MappedMemory", memory.origin, f"size: {memory.size_bytes:#x}")


def _entry(name: str, model: str, origin: int, settings: str) -> str:
    return f"{name}: {model} @ sysbus {origin:#010x} {{ {settings} }}"
