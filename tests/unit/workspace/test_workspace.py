"""The folder of a run: what becomes stale when a stage runs again, and what is asked for too early."""

from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.errors import UsageError
from sq_micro.workspace import Stage, Workspace

KEPT_FOLDERS = ("model", "board")


def filled(folder: Path) -> Workspace:
    """A workspace in which every stage has run, with a file of the person's own beside."""
    workspace = Workspace(folder)
    workspace.open()
    for stage in Stage:
        for name in stage.value:
            if name in KEPT_FOLDERS:
                (workspace / name).mkdir()
            else:
                (workspace / name).write_text(stage.name, encoding="utf-8")
    (workspace / "notes.txt").write_text("mine", encoding="utf-8")
    workspace.build_dir.mkdir()
    return workspace


def test_no_two_stages_write_the_same_file() -> None:
    names = [name for stage in Stage for name in stage.value]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("stage", Stage)
def test_a_stage_that_begins_makes_its_own_and_all_later_artefacts_vanish(stage: Stage, tmp_path: Path) -> None:
    workspace = filled(tmp_path / "run")
    workspace.begin(stage)
    order = list(Stage)
    for other in order:
        for name in other.value:
            stale = order.index(other) >= order.index(stage) and name not in KEPT_FOLDERS
            assert (workspace / name).exists() != stale, name
    assert (workspace / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert workspace.build_dir.is_dir()


def test_a_stage_begins_in_an_empty_folder_too(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.begin(Stage.ANALYZE)
    assert not list(tmp_path.iterdir())


def test_an_artefact_that_is_missing_names_the_command_that_writes_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(UsageError, match=r"has no 07_golden\.npz; run `sq-micro quantize .*--out"):
        workspace.need(Stage.QUANTIZE, "07_golden.npz")
    (tmp_path / "07_golden.npz").touch()
    assert workspace.need(Stage.QUANTIZE, "07_golden.npz") == tmp_path / "07_golden.npz"


def test_open_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "out" / "run")
    workspace.open()
    workspace.open()
    assert not list(workspace.folder.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(UsageError, match=f"--out {folder}: cannot be written") as caught:
            Workspace(folder).open()
        assert caught.value.exit_code == 2


def test_publish_copies_content_and_mode(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "run")
    workspace.open()
    source = tmp_path / "firmware"
    source.write_bytes(b"\x7fELF")
    source.chmod(0o755)
    target = workspace.publish(source, "firmware.elf")
    assert target == workspace / "firmware.elf"
    assert target.read_bytes() == b"\x7fELF"
    assert target.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in workspace.folder.iterdir()] == ["firmware.elf"]
