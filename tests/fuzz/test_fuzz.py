"""The fuzzers for a few seconds: the parsers stand the corpus, and a little more. `make fuzz` runs longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.build import FUZZERS, Fuzzer, build, missing, run

pytestmark = pytest.mark.skipif(bool(problem := missing()), reason=problem)


@pytest.mark.parametrize("fuzzer", FUZZERS, ids=lambda fuzzer: fuzzer.name)
def test_the_parsers_stand_anything(fuzzer: Fuzzer, tmp_path: Path) -> None:
    done = run(fuzzer, build(fuzzer, tmp_path), tmp_path, "-runs=20000", "-seed=1")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "DONE" in done.stdout


@pytest.mark.parametrize("fuzzer", FUZZERS, ids=lambda fuzzer: fuzzer.name)
def test_there_is_a_corpus(fuzzer: Fuzzer) -> None:
    assert len(list(fuzzer.corpus.iterdir())) >= 10
