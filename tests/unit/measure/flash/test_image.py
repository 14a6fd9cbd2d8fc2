from __future__ import annotations

import struct

import pytest

from sq_micro.errors import ToolchainError
from sq_micro.measure.flash.image import flat_binary, uf2
from sq_micro.simulate.image import Segment


def test_a_flat_binary_has_erased_gaps() -> None:
    segments = [Segment(0x0800_0008, b"data"), Segment(0x0800_0000, b"code")]
    assert flat_binary(segments) == b"code\xff\xff\xff\xffdata"


def test_an_image_in_two_memories_is_no_flat_binary() -> None:
    with pytest.raises(ToolchainError, match="more than one memory"):
        flat_binary([Segment(0, b"code"), Segment(0x2000_0000, b"data")])


def test_uf2_is_as_its_specification_says() -> None:
    content = bytes(range(256)) + b"tail"
    blocks = uf2([Segment(0x1000_0010, content)], 0xE48B_FF56)
    assert len(blocks) == 2 * 512
    for number in range(2):
        block = blocks[512 * number : 512 * (number + 1)]
        head = struct.unpack_from("<8I", block)
        assert head == (0x0A32_4655, 0x9E5D_5157, 0x2000, 0x1000_0000 + 256 * number, 256, number, 2, 0xE48B_FF56)
        assert struct.unpack_from("<I", block, 508) == (0x0AB1_6F30,)
        assert block[32 + 256 : 508] == bytes(476 - 256)
    memory = blocks[32 : 32 + 256] + blocks[512 + 32 : 512 + 32 + 256]
    assert memory[:16] == b"\xff" * 16
    assert memory[16 : 16 + len(content)] == content
    assert memory[16 + len(content) :] == b"\xff" * (512 - 16 - len(content))
