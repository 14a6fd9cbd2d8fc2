"""An ELF's bytes in the forms that boot loaders take: flat, and UF2 (github.com/microsoft/uf2)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from sq_micro.errors import ToolchainError
from sq_micro.simulate.image import Segment

ERASED = 0xFF
UF2_PAYLOAD_BYTES = 256  # what the boot ROM of the RP2040 wants, at addresses that are multiples of it

_MOST_FLAT_BYTES = 64 << 20
_UF2_HEAD = struct.Struct("<8I")
_UF2_MAGIC = (0x0A32_4655, 0x9E5D_5157)
_UF2_END = 0x0AB1_6F30
_UF2_HAS_FAMILY = 0x2000
_UF2_DATA_BYTES = 476


def flat_binary(segments: Iterable[Segment]) -> bytes:
    """The bytes from the lowest address to the highest, gaps as erased flash.

    Raises ToolchainError iff that would be more than 64 MiB: no flash is so large.
    """
    ordered = sorted(segments, key=lambda segment: segment.address)
    start = ordered[0].address
    end = max(segment.address + len(segment.content) for segment in ordered)
    if end - start > _MOST_FLAT_BYTES:
        raise ToolchainError(f"the image reaches from {start:#x} to {end:#x}: it lies in more than one memory")
    flat = bytearray([ERASED]) * (end - start)
    for segment in ordered:
        flat[segment.address - start : segment.address - start + len(segment.content)] = segment.content
    return bytes(flat)


def uf2(segments: Iterable[Segment], family_id: int) -> bytes:
    """Blocks of 512 bytes, each with 256 of the image; pages that the image touches in part are filled up."""
    pages: dict[int, bytearray] = {}
    for segment in segments:
        for offset, byte in enumerate(segment.content):
            page, inside = divmod(segment.address + offset, UF2_PAYLOAD_BYTES)
            pages.setdefault(page, bytearray([ERASED]) * UF2_PAYLOAD_BYTES)[inside] = byte
    blocks = []
    for number, page in enumerate(sorted(pages)):
        head = _UF2_HEAD.pack(
            *_UF2_MAGIC,
            _UF2_HAS_FAMILY,
            page * UF2_PAYLOAD_BYTES,
            UF2_PAYLOAD_BYTES,
            number,
            len(pages),
            family_id,
        )
        blocks.append(head + bytes(pages[page]).ljust(_UF2_DATA_BYTES, b"\0") + struct.pack("<I", _UF2_END))
    return b"".join(blocks)
