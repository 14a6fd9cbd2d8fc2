"""The UARTs of the boards: which register says what. Everything else is in `uart`."""

from __future__ import annotations

from collections.abc import Callable

from sq_micro.errors import ToolchainError
from sq_micro.simulate.registers import lane
from sq_micro.simulate.uart import Host, Uart


class Stm32Usart(Uart):
    """USART and LPUART of the STM32 families with ISR and TDR (L0, L4, F0, F3, F7, G0, G4, H7). Source: RM0432."""

    status_offset, receive_offset, transmit_offset = 0x1C, 0x24, 0x28

    def _status(self) -> int:
        control = self._registers.read(0x00, 4)
        enabled, receiver, transmitter = control & 1, control >> 2 & 1, control >> 3 & 1
        status = 1 << 7 | 1 << 6  # TXE, TC: idle even before the UART is enabled
        status |= (self._host.waiting_bytes > 0) << 5  # RXNE
        return status | (enabled & transmitter) << 21 | (enabled & receiver) << 22  # TEACK, REACK

    def _transmitter_on(self) -> bool:
        return self._registers.read(0x00, 4) & 0b1001 == 0b1001  # UE, TE


class Stm32F4Usart(Uart):
    """USART of the STM32 families with SR and DR (F1, F2, F4, L1). Source: RM0090, USART."""

    status_offset, receive_offset, transmit_offset = 0x00, 0x04, 0x04

    def _status(self) -> int:
        return 1 << 7 | 1 << 6 | (self._host.waiting_bytes > 0) << 5  # TXE, TC, RXNE

    def _transmitter_on(self) -> bool:
        mask = 1 << 13 | 1 << 3  # UE, TE
        return self._registers.read(0x0C, 4) & mask == mask


class CmsdkUart(Uart):
    """The APB UART of Arm's CMSDK, as the MPS2 boards have it. Source: Arm DDI 0479, APB UART."""

    status_offset, receive_offset, transmit_offset = 0x04, 0x00, 0x00

    def _status(self) -> int:
        return (self._host.waiting_bytes > 0) << 1  # RX full; TX is never full

    def _transmitter_on(self) -> bool:
        return bool(self._registers.read(0x08, 4) & 1)


class Pl011(Uart):
    """Arm's PrimeCell UART. Source: Arm DDI 0183G, chapter 3."""

    status_offset, receive_offset, transmit_offset = 0x18, 0x00, 0x00

    def _status(self) -> int:
        return 1 << 7 | (self._host.waiting_bytes == 0) << 4  # TX empty, RX empty

    def _transmitter_on(self) -> bool:
        mask = 1 << 8 | 1 << 0  # TXE, UARTEN
        return self._registers.read(0x30, 4) & mask == mask


class NrfUart(Uart):
    """UART of the nRF51 and nRF52 without DMA. Source: nRF52840 Product Specification, UART."""

    size_bytes = 0x1000
    status_offset, receive_offset, transmit_offset = 0x108, 0x518, 0x51C
    _sent_offset = 0x11C

    def read(self, offset: int, size_bytes: int) -> int:
        """As `Uart` says; the event that a byte has left is there at once."""
        if offset & ~3 == self._sent_offset:
            self._polled_at.clear()
            return lane(1, offset, size_bytes)
        return super().read(offset, size_bytes)

    def _status(self) -> int:
        return int(self._host.waiting_bytes > 0)  # RXDRDY

    def _transmitter_on(self) -> bool:
        return self._registers.read(0x500, 4) == 4 and self._registers.read(0x008, 4) == 1  # ENABLE, STARTTX


class SifiveUart(Uart):
    """UART of SiFive's cores, polled by reading the data themselves. Source: FE310-G002 Manual v1p5, chapter 18."""

    status_offset, receive_offset, transmit_offset = 0x04, 0x04, 0x00
    _transmit_data, _pending = 0x00, 0x14

    def read(self, offset: int, size_bytes: int) -> int:
        """As `Uart` says; the transmitter is never full, and below its watermark."""
        register = offset & ~3
        if register in (self._transmit_data, self._pending):
            self._polled_at.clear()
            return lane(int(register == self._pending), offset, size_bytes)
        return super().read(offset, size_bytes)

    def _status(self) -> int:
        if not self._host.waiting_bytes:
            return 1 << 31
        self._idle_polls = 0
        return self._host.take()

    def _transmitter_on(self) -> bool:
        return bool(self._registers.read(0x08, 4) & 1)


class Esp32C3Uart(Uart):
    """UART of the ESP32-C3. Source: ESP32-C3 Technical Reference Manual, "UART Controller"."""

    status_offset, receive_offset, transmit_offset = 0x1C, 0x00, 0x00

    def _status(self) -> int:
        return min(self._host.waiting_bytes, 127)  # RXFIFO_CNT; TXFIFO_CNT is 0

    def _transmitter_on(self) -> bool:
        mask = 1 << 24 | 1 << 22  # TX_SCLK_EN, SCLK_EN
        return self._registers.read(0x78, 4) & mask == mask


_MODELS: dict[str, type[Uart]] = {
    "stm32_usart": Stm32Usart,
    "stm32f4_usart": Stm32F4Usart,
    "cmsdk": CmsdkUart,
    "pl011": Pl011,
    "nrf_uart": NrfUart,
    "sifive": SifiveUart,
    "esp32c3": Esp32C3Uart,
}


def uart_drivers() -> tuple[str, ...]:
    """The drivers whose UARTs are modelled."""
    return tuple(sorted(_MODELS))


def make_uart(driver: str, host: Host, place: Callable[[], int]) -> Uart:
    """The model for a board's UART. Raises ToolchainError iff there is none."""
    if driver not in _MODELS:
        raise ToolchainError(f"the simulator has no UART '{driver}'; it has: {', '.join(uart_drivers())}")
    return _MODELS[driver](host, place)
