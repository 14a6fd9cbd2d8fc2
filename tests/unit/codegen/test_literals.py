"""C literals, identifiers and comments, for any name that a person may give a model or a layer."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sq_micro.codegen.literals import call_statement, comment, identifier, integer_lines, string


@given(st.text(max_size=30))
def test_any_name_becomes_an_identifier(name: str) -> None:
    found = identifier(name)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", found)
    assert identifier(found) == found


@pytest.mark.parametrize("word", ["double", "while", "int"])
def test_no_identifier_is_a_word_of_c(word: str) -> None:
    assert identifier(word) == f"m_{word}"


@given(st.text(max_size=50))
def test_a_comment_stays_a_comment(text: str) -> None:
    found = comment(text)
    assert "*/" not in found
    assert "/*" not in found
    assert found.isascii()
    assert len(found.splitlines()) <= 1


def decoded(literal: str) -> str:
    """A C string literal, as a compiler reads it."""
    assert re.fullmatch(r'"(?:[^"\\]|\\[0-7]{3})*"', literal)
    octal = re.sub(rb"\\([0-7]{3})", lambda escape: bytes([int(escape[1], 8)]), literal[1:-1].encode("ascii"))
    return octal.decode()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_string_literal_says_what_the_text_says(text: str) -> None:
    assert decoded(string(text)) == text
    assert "??" not in string(text), "no trigraph"


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32])
def test_initialisers_hold_every_value_within_100_columns(dtype: type) -> None:
    limits = np.iinfo(dtype)
    values = np.array([limits.min, limits.max, 0, 1, limits.min, limits.max] * 9, dtype)
    lines = integer_lines(values)
    assert max(map(len, lines)) <= 96
    words = [word.strip() for line in lines for word in line.rstrip(",").split(",")]
    read = [-(1 << 31) if word == "INT32_MIN" else int(word, 0) for word in words]
    assert read == values.tolist()


def test_an_empty_array_has_no_lines() -> None:
    assert integer_lines(np.array([], np.uint8)) == ()


@given(st.lists(st.from_regex(r"[a-z]{1,40}", fullmatch=True), min_size=1, max_size=12))
def test_a_call_is_broken_between_arguments_only(arguments: list[str]) -> None:
    text = call_statement("sqm_nest", arguments)
    assert re.sub(r"\s+", "", text) == f"sqm_nest({','.join(arguments)});"
    assert max(map(len, text.splitlines())) <= 100
    assert all(line.startswith(" " * len("    sqm_nest(")) for line in text.splitlines()[1:])
