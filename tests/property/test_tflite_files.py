"""Damaged .tflite files: a graph, or one error of ours; nothing else."""

from __future__ import annotations

import contextlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sq_micro.errors import ModelError
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.tflite.importing.load import import_tflite
from tests.unit.tflite.tflite_files import converted

FILES = [converted(name).read_bytes() for name in ("image_int8", "sequence_float", "image_int8_float_ends")]
PATCHES = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=12)


def taken_or_refused(content: bytes) -> None:
    with contextlib.suppress(ModelError):
        assert isinstance(import_tflite(content, "patched"), FloatGraph)


@settings(max_examples=150, deadline=None)
@given(file=st.sampled_from(FILES), patches=PATCHES)
def test_changed_bytes(file: bytes, patches: list[tuple[int, int]]) -> None:
    content = bytearray(file)
    for position, value in patches:
        content[position % len(content)] = value
    taken_or_refused(bytes(content))


@settings(max_examples=60, deadline=None)
@given(file=st.sampled_from(FILES), share=st.floats(0, 1))
def test_cut_files(file: bytes, share: float) -> None:
    taken_or_refused(file[: int(len(file) * share)])


@settings(max_examples=80, deadline=None)
@given(file=st.sampled_from(FILES), seed=st.integers(0, 1 << 32), count=st.integers(1, 40))
def test_changed_offsets(file: bytes, seed: int, count: int) -> None:
    """The tables at the end of a flatbuffer are mostly offsets: words of them with a small or a huge change."""
    random = np.random.default_rng(seed)
    words = np.frombuffer(file[: len(file) // 4 * 4], "<i4").copy()
    places = random.integers(0, len(words), count)
    words[places] += random.choice([-4, 4, 1, 1 << 20, -(1 << 30)], count).astype(np.int32)
    taken_or_refused(words.tobytes())
