"""Properties of the frames."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.errors import FrameError
from sq_micro.measure.frame import (
    DELIMITER,
    MAX_BODY_BYTES,
    MAX_WIRE_BYTES,
    Frame,
    cobs_decode,
    cobs_encode,
    decode_frame,
    encode_frame,
)

octets = st.integers(0, 255)
# Long runs without a zero are what COBS has its rules for; uniform bytes seldom have them.
bodies = st.one_of(
    st.binary(max_size=MAX_BODY_BYTES),
    st.lists(st.integers(1, 255), min_size=200, max_size=MAX_BODY_BYTES).map(bytes),
)
frames = st.builds(Frame, sequence=octets, id=octets, body=bodies)
stuffable = st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b"\0", b"x" * 253, b"x" * 254]))).map(b"".join)


@given(frames)
def test_a_frame_comes_back(frame: Frame) -> None:
    wire = encode_frame(frame)
    assert wire.endswith(DELIMITER)
    assert wire.count(DELIMITER) == 1
    assert len(wire) <= MAX_WIRE_BYTES
    assert decode_frame(wire[:-1]) == frame


@given(frames, st.data())
def test_a_frame_with_one_bit_flipped_is_refused(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(encode_frame(frame)[:-1])
    position = data.draw(st.integers(0, 8 * len(wire) - 1))
    wire[position // 8] ^= 1 << position % 8
    with pytest.raises(FrameError):
        decode_frame(bytes(wire))


@given(frames, st.data())
def test_a_frame_cut_short_is_refused(frame: Frame, data: st.DataObject) -> None:
    wire = encode_frame(frame)[:-1]
    with pytest.raises(FrameError):
        decode_frame(wire[: data.draw(st.integers(0, len(wire) - 1))])


@given(frames, st.data())
def test_a_frame_that_lost_or_doubled_a_byte_is_refused(frame: Frame, data: st.DataObject) -> None:
    wire = encode_frame(frame)[:-1]
    at = data.draw(st.integers(0, len(wire) - 1))
    for damaged in (wire[:at] + wire[at + 1 :], wire[:at] + wire[at : at + 1] + wire[at:]):
        with pytest.raises(FrameError):
            decode_frame(damaged)


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_a_frame(wire: bytes) -> None:
    try:
        frame = decode_frame(wire)
    except FrameError:
        return
    assert decode_frame(encode_frame(frame)[:-1]) == frame


@given(stuffable)
def test_cobs_comes_back_without_a_zero_on_the_way(data: bytes) -> None:
    encoded = cobs_encode(data)
    assert 0 not in encoded
    assert len(encoded) <= len(data) + max(1, -(-len(data) // 254))
    assert cobs_decode(encoded) == data


def test_the_crc_is_the_usual_one() -> None:
    assert zlib.crc32(b"123456789") == 0xCBF4_3926


def test_a_body_that_is_too_long_is_refused() -> None:
    with pytest.raises(FrameError, match="251 bytes"):
        encode_frame(Frame(0, 0, bytes(MAX_BODY_BYTES + 1)))
