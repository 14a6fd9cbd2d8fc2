from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def misaligned_words_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the cores; the simulator checks it on request only, because that takes most of its speed."""
    monkeypatch.setenv("SQ_MICRO_CHECK_ALIGNMENT", "1")
