from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sq_micro.store import Store, content_key


def test_what_was_put_is_there_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    key = content_key("a")
    assert store.get(key) is None
    store.put(key, b"one")
    store.put(content_key("b"), b"two")
    assert store.get(key) == b"one"


def test_a_store_that_cannot_be_written_only_forgets(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    store = Store(occupied)
    store.put(content_key("a"), b"one")
    assert store.get(content_key("a")) is None
    Store(None).put(content_key("a"), b"one")
    assert Store(None).get(content_key("a")) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("1",), (1,)),
        ((1,), (1.0,)),
        ((b"a",), ("a",)),
        ((np.zeros(4, np.int8),), (np.zeros((2, 2), np.int8),)),
        ((np.zeros(1, np.int8),), (np.zeros(1, np.uint8),)),
        ((None,), ()),
    ],
)
def test_different_contents_have_different_keys(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    assert content_key(*one) != content_key(*other)  # type: ignore[arg-type]


def test_a_view_has_the_key_of_its_copy() -> None:
    array = np.arange(12).reshape(3, 4)
    assert content_key(array[:, ::2]) == content_key(array[:, ::2].copy())
