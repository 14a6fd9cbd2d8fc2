from __future__ import annotations

import io

import pytest

from sq_micro.errors import LinkError
from sq_micro.simulate.packets import Kind, encode_packet, read_packet


class OneByteAtATime(io.BytesIO):
    """A pipe may hand over less than was asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 1))


@pytest.mark.parametrize("stream", [io.BytesIO, OneByteAtATime])
def test_packets_come_back(stream: type[io.BytesIO]) -> None:
    packets = [(Kind.UART, b"\0\1\2"), (Kind.CONTROL, b"counters"), (Kind.ERROR, b""), (Kind.UART, bytes(1000))]
    source = stream(b"".join(encode_packet(kind, body) for kind, body in packets))
    assert [read_packet(source) for _ in packets] == packets
    assert read_packet(source) is None


def test_the_form_on_the_wire() -> None:
    assert encode_packet(Kind.UART, b"ab") == b"U\x02\0\0\0ab"


@pytest.mark.parametrize("content", [b"U\x02", b"U\x02\0\0\0a"])
def test_an_end_inside_a_packet_is_an_error(content: bytes) -> None:
    with pytest.raises(LinkError, match="inside a packet"):
        read_packet(io.BytesIO(content))


@pytest.mark.parametrize("content", [b"X\x02\0\0\0ab", b"U\xff\xff\xff\xffab"])
def test_something_else_is_an_error(content: bytes) -> None:
    with pytest.raises(LinkError, match="not a packet"):
        read_packet(io.BytesIO(content))
