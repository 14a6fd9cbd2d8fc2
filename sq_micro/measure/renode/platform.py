"""A board as Renode's platform description: exactly its memories, its core, its UART.

Renode's own platforms are not used: many fetch register lists from the network, few have a cycle counter, and their
memories are often larger than the part's, so that a firmware that overruns its RAM would pass.
"""

from __future__ import annotations

from sq_micro.board import Board, Memory, RegisterBlock, Renode, Uart
from sq_micro.errors import UsageError

# Instructions per microsecond of virtual time, and the rate of the counters: then a count is a number of instructions.
# Other pairs of numbers make Renode round to granules of several instructions.
MIPS = 100

_ARM_CORES = ("cortex-m0", "cortex-m0+", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
_RISCV_CORES = {"sifive-e31": "rv32imac_zicsr_zifencei"}
_LPUART_BASE = 0x4000_8000  # LPUART1 of every STM32 family whose USART the driver knows

_UART_MODELS = {
    "cmsdk": "CMSDK_APB_UART",
    "stm32_usart": "STM32F7_USART",
    "stm32f4_usart": "STM32_UART",
    "nrf_uart": "NRF52840_UART",
    "sifive": "SiFive_UART",
}
_WITH_SIZE = ("STM32_UART",)  # models that do not know their own
_CLOCK = {"NRF52840_UART": None, "SiFive_UART": "inputClockFrequency"}


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
    entries += _registers(board, board.renode)
    return f"// {board.title}, as the board file has it. {MIPS} MIPS and {MIPS} MHz: counters count instructions.\n" + (
        "\n".join(entries) + "\n"
    )


def _registers(board: Board, renode: Renode) -> list[str]:
    """Memory, or a script where some bits must read as ready, such as 'PLL locked', whatever the firmware writes.

    Raises UsageError iff such bits are in no block.
    """
    ready = board.simulator.ready if board.simulator else ()
    entries = []
    for block in renode.registers:
        masks: dict[int, int] = {}
        for bits in ready:
            if 0 <= (offset := bits.address - block.origin) < block.size_bytes:
                masks[offset] = masks.get(offset, 0) | bits.mask
        if masks:
            entries.append(_ready_registers(block, masks))
        else:
            entries.append(_entry(block.name, "Memory.ArrayMemory", block.origin, f"size: {block.size_bytes:#x}"))
    for bits in ready:
        if not any(0 <= bits.address - block.origin < block.size_bytes for block in renode.registers):
            raise UsageError(
                f"board '{board.id}': [[simulator.ready]] {bits.address:#010x} lies in no block of [[renode.registers]]"
            )
    return entries


def _ready_registers(block: RegisterBlock, masks: dict[int, int]) -> str:
    """Words that keep what is written, and read as that with the masks' bits; offsets count from the block's origin."""
    table = ", ".join(f"{offset:#x}: {mask:#010x}" for offset, mask in sorted(masks.items()))
    return f"""{block.name}: Python.PythonPeripheral @ sysbus {block.origin:#010x}
    size: {block.size_bytes:#x}
    initable: true
    script: '''
if request.IsInit:
    words, ready = {{}}, {{{table}}}
elif request.IsRead:
    request.Value = words.get(request.Offset, 0) | ready.get(request.Offset, 0)
else:
    words[request.Offset] = request.Value
'''"""


def _core(board: Board) -> list[str]:
    """The core with what counts in it. Raises UsageError iff Renode models not the core."""
    core = board.core
    if isa := _RISCV_CORES.get(core.name):
        settings = f'cpuType: "{isa}"; privilegedArchitecture: PrivilegedArchitecture.Priv1_10; timeProvider: empty'
        return [f"cpu: CPU.RiscV32 @ sysbus {{ {settings}; PerformanceInMips: {MIPS} }}"]
    if core.name not in _ARM_CORES:
        known = ", ".join((*_ARM_CORES, *_RISCV_CORES))
        raise UsageError(f"board '{board.id}': Renode is not set up for {core.name}, only for {known}")
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
    clock = _CLOCK.get(model, "frequency")
    settings = [f"{clock}: {uart.clock_hz}"] if clock else []
    if uart.driver == "stm32_usart" and uart.base == _LPUART_BASE:
        settings.append("lowPowerMode: true")
    place = f"<{uart.base:#010x}, +0x100>" if model in _WITH_SIZE else f"{uart.base:#010x}"
    return f"uart: UART.{model} @ sysbus {place}" + (f" {{ {'; '.join(settings)} }}" if settings else "")


def _memory(name: str, memory: Memory) -> str:
    return _entry(name, "Memory.MappedMemory", memory.origin, f"size: {memory.size_bytes:#x}")


def _entry(name: str, model: str, origin: int, settings: str) -> str:
    return f"{name}: {model} @ sysbus {origin:#010x} {{ {settings} }}"
