from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.measure.fake_firmware import HOST, build_fake_firmware, missing


@pytest.fixture(scope="session")
def host_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware of the reversing model as a process, with the sanitizers in it."""
    if absent := missing("cmake", "ninja", "gcc"):
        pytest.skip(f"not installed: {absent}")
    flags = "-fsanitize=address,undefined -fno-sanitize-recover=all"
    return build_fake_firmware(tmp_path_factory.mktemp("host"), HOST, flags=flags)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called `renode` that behaves as `renode/stand_in.py` does, well unless a test says otherwise."""
    monkeypatch.setenv("SQM_STAND_IN", "")
    for name in ("SQ_RENODE", "SQM_STAND_IN_VERSION", "SQM_STAND_IN_FIRMWARE"):
        monkeypatch.delenv(name, raising=False)
    script = Path(__file__).parent / "renode" / "stand_in.py"
    program = tmp_path / "programs" / "renode"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program
