from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import DataError, GoldenMismatchError
from sq_micro.reference.golden_vectors import GoldenVectors, make_golden_vectors, require_equal
from sq_micro.reference.interpreter import run
from tests.models.random_quant_graph import random_codes, random_network


def test_vectors_are_what_the_reference_computes() -> None:
    graph = random_network(1)
    codes = random_codes(graph, 4)
    golden = make_golden_vectors(graph, codes)
    assert np.array_equal(golden.outputs, run(graph, codes))
    assert golden.model_hash == graph.digest()
    assert not golden.outputs.flags.writeable
    assert str(golden).startswith("4 golden vectors")


def test_a_file_comes_back_and_its_bytes_are_always_the_same(tmp_path: Path) -> None:
    golden = make_golden_vectors(random_network(1), random_codes(random_network(1), 3))
    golden.save(tmp_path / "one.npz")
    golden.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    again = GoldenVectors.load(tmp_path / "one.npz")
    assert np.array_equal(again.inputs, golden.inputs)
    assert np.array_equal(again.outputs, golden.outputs)
    assert again.model_hash == golden.model_hash


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("not a zip")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    hashed = np.zeros(32, np.uint8)
    np.savez(tmp_path / "floats.npz", inputs=np.zeros((1, 2)), outputs=np.zeros((1, 2)), model_hash=hashed)
    for name in ("missing.npz", "text.npz", "other.npz", "floats.npz"):
        with pytest.raises(DataError):
            GoldenVectors.load(tmp_path / name)


def test_the_first_difference_is_named() -> None:
    expected = np.zeros((2, 3), np.int8)
    got = expected.copy()
    got[1, 1:] = 5
    require_equal("conv", expected, expected)
    with pytest.raises(GoldenMismatchError) as caught:
        require_equal("conv", got, expected)
    error = caught.value
    assert (error.operator, error.index, error.got, error.expected, error.differing_count) == ("conv", 4, 5, 0, 2)
