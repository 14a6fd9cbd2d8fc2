from __future__ import annotations

import os
from pathlib import Path

import pytest

from sq_micro.errors import ToolchainError
from sq_micro.measure.renode.find import find_renode

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")


def test_the_named_program_comes_first_then_the_variable_then_path(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_path = tmp_path / "path" / "renode"
    on_path.parent.mkdir()
    on_path.write_bytes(stand_in.read_bytes())
    on_path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{on_path.parent}:{os.environ['PATH']}")
    found = find_renode()
    assert (found.path, found.version) == (str(on_path), (1, 16, 1))
    assert str(found) == f"Renode 1.16.1 ({on_path})"
    monkeypatch.setenv("SQ_RENODE", str(stand_in))
    assert find_renode().path == str(stand_in)
    assert find_renode(str(on_path)).path == str(on_path)


def test_without_renode_it_is_said_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SQ_RENODE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=r"not on PATH.*github.com/renode.*--link simulator"):
        find_renode()
    with pytest.raises(ToolchainError, match="--renode names nowhere/renode, which is no program"):
        find_renode("nowhere/renode")
    monkeypatch.setenv("SQ_RENODE", "gone")
    with pytest.raises(ToolchainError, match="SQ_RENODE names gone"):
        find_renode()


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Renode v1.13.3.30774", r"is Renode 1\.13\.3; 1\.16 is the oldest"),
        ("GNU sed 4.9", "does not tell a version"),
    ],
)
def test_other_versions_and_programs_are_refused(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, said: str, text: str
) -> None:
    monkeypatch.setenv("SQM_STAND_IN_VERSION", said)
    with pytest.raises(ToolchainError, match=text):
        find_renode(str(stand_in))


@pytest.mark.parametrize(("said", "version"), [("Renode v1.17.0", (1, 17, 0)), ("Renode, version 2.0 (x)", (2, 0, 0))])
def test_newer_versions_are_taken(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, said: str, version: tuple[int, int, int]
) -> None:
    monkeypatch.setenv("SQM_STAND_IN_VERSION", said)
    assert find_renode(str(stand_in)).version == version
