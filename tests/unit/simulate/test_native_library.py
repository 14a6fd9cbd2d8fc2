from __future__ import annotations

import shutil
import stat
import sys
from pathlib import Path

import pytest

from sq_micro.errors import ToolchainError
from sq_micro.simulate import native_library as module
from sq_micro.simulate.native_library import compilers, native_library

needs_compiler = pytest.mark.skipif(not compilers(), reason="no C compiler is installed")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "sq-micro"


@needs_compiler
def test_it_is_compiled_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = native_library("block_counts")
    assert list(cache.iterdir()) == [library]
    monkeypatch.setattr(module, "compilers", lambda: ())
    assert native_library("block_counts") == library


@needs_compiler
def test_other_defines_are_another_library(cache: Path) -> None:
    assert native_library("block_counts", ("ONE=1",)) != native_library("block_counts", ("ONE=2",))


def test_a_compiler_that_fails_is_followed_by_the_next(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("cc")
    if real is None or sys.platform == "win32":
        pytest.skip("no cc is installed")
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho does not work >&2\nexit 1\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(module, "compilers", lambda: ((str(broken),), (real,)))
    assert native_library("block_counts").is_file()
    monkeypatch.setattr(module, "compilers", lambda: ((str(broken),),))
    with pytest.raises(ToolchainError, match="does not work"):
        native_library("block_counts", ("OTHER",))
    assert len(list(cache.iterdir())) == 1


def test_no_compiler_at_all(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "compilers", lambda: ())
    with pytest.raises(ToolchainError, match="pip install ziglang"):
        native_library("block_counts")
    assert list(cache.iterdir()) == []
