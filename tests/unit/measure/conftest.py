from __future__ import annotations

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
