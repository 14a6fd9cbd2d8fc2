from __future__ import annotations

import ctypes
import random

import numpy as np
import pytest

from sq_micro.errors import ToolchainError
from sq_micro.simulate.counters import NativeCounter, PythonCounter
from sq_micro.simulate.native_library import compilers, native_library

Block = tuple[int, int]
LOOP: list[Block] = [(0x100, 8), (0x108, 4), (0x108, 4), (0x10C, 2), (0x100, 8), (0x200, 6)]


def in_python(blocks: list[Block]) -> PythonCounter:
    counter = PythonCounter()
    for address, size_bytes in blocks:
        counter.enter(address, size_bytes)
    return counter


def in_c(blocks: list[Block]) -> NativeCounter:
    if not compilers():
        pytest.skip("no C compiler is installed")
    library = ctypes.CDLL(str(native_library("block_counts")))
    counter = NativeCounter()
    for address, size_bytes in blocks:
        library.sqm_count_block(
            None, ctypes.c_uint64(address), ctypes.c_uint32(size_bytes), ctypes.byref(counter.table)
        )
    return counter


@pytest.mark.parametrize("count", [in_python, in_c])
def test_counts_of_a_small_loop(count: type) -> None:
    counter = count(LOOP)
    counts = counter.counts()
    assert counts.rows.tolist() == [
        [0x100, 8, 2, 1, 0, 1],
        [0x108, 4, 2, 1, 1, 2],
        [0x10C, 2, 1, 0, 1, 1],
        [0x200, 6, 1, 0, 0, 0],
    ]
    assert counts.current == 3
    assert counts.executions == 6
    assert counter.place == 0x200


@pytest.mark.parametrize("count", [in_python, in_c])
def test_nothing_was_executed(count: type) -> None:
    counter = count([])
    assert counter.counts().rows.shape == (0, 6)
    assert counter.counts().current is None
    assert counter.place == 0


@pytest.mark.parametrize("count", [in_python, in_c])
def test_a_loop_is_mispredicted_at_its_first_turn_and_its_last(count: type) -> None:
    inner = [(0x108, 4)] * 10 + [(0x10C, 2)]
    rows = count([(0x100, 8), *inner, (0x300, 2), *inner, (0x300, 2)]).counts().rows
    assert rows[1].tolist() == [0x108, 4, 20, 2, 1, 3], "the counter remembers from one loop to the next"


@pytest.mark.parametrize("count", [in_python, in_c])
def test_two_sizes_at_one_address_are_two_blocks(count: type) -> None:
    assert count([(0x100, 8), (0x100, 4), (0x100, 8)]).counts().rows[:, :3].tolist() == [[0x100, 8, 2], [0x100, 4, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_both_count_the_same(seed: int) -> None:
    chance = random.Random(seed)
    # Addresses of flash and SRAM collide in the hash on purpose.
    known = [(base + 2 * chance.randrange(200), 2 * chance.randrange(1, 20)) for base in (0, 1 << 19, 1 << 29)
             for _ in range(100)]  # fmt: skip
    blocks = chance.choices(known, k=5000)
    ours, native = in_python(blocks).counts(), in_c(blocks).counts()
    assert np.array_equal(ours.rows, native.rows)
    assert ours.current == native.current


def test_more_blocks_than_rows_is_an_error() -> None:
    counter = in_c([(2 * n, 2) for n in range((1 << 16) + 1)])
    with pytest.raises(ToolchainError, match="more than 65,536"):
        counter.counts()
