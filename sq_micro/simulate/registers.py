"""Peripheral registers that nobody models: they behave as memory, and some bits read as set."""

from __future__ import annotations

from sq_micro.board import ReadyBits


class Registers:
    """32-bit registers by address; zero until written. Accesses of 1, 2 and 4 bytes.

    ready  bits that read as set whatever was written, such as "PLL locked"
    """

    def __init__(self, ready: tuple[ReadyBits, ...] = ()) -> None:
        self._words: dict[int, int] = {}
        self._ready: dict[int, int] = {}
        for bits in ready:
            self._ready[bits.address] = self._ready.get(bits.address, 0) | bits.mask

    def read(self, address: int, size_bytes: int) -> int:
        """The bytes at an address, in which `ready` bits are set."""
        word_address = address & ~3
        word = self._words.get(word_address, 0) | self._ready.get(word_address, 0)
        return lane(word, address, size_bytes)

    def write(self, address: int, size_bytes: int, value: int) -> None:
        """Replace the bytes at an address."""
        word_address, shift = address & ~3, 8 * (address & 3)
        mask = ((1 << 8 * size_bytes) - 1) << shift
        self._words[word_address] = self._words.get(word_address, 0) & ~mask | value << shift & mask & 0xFFFF_FFFF


def lane(word: int, address: int, size_bytes: int) -> int:
    """The bytes of a register that an access at `address` sees.

    >>> hex(lane(0x11223344, 0x40000002, 1))
    '0x22'
    """
    return word >> 8 * (address & 3) & (1 << 8 * size_bytes) - 1
