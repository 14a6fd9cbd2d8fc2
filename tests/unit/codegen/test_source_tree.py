"""How generated files get onto the disk: what is replaced, and what is never touched."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from sq_micro.codegen.source_tree import MARKER, SourceTree

OLD = 1_000_000_000


def tree(**files: str) -> SourceTree:
    return SourceTree(
        {PurePosixPath(name.replace("__", "/").replace("_c", ".c")): text for name, text in files.items()}
    )


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.name != MARKER}


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    tree(src__a_c="int a;\n", b_c="é\n").write(tmp_path / "out")
    assert (tmp_path / "out/src/a.c").read_text(encoding="utf-8") == "int a;\n"
    assert (tmp_path / "out/b.c").read_bytes() == "é\n".encode()
    assert names(tmp_path / "out") == {"src", "src/a.c", "b.c"}


def test_an_unchanged_file_keeps_its_time_stamp_and_a_changed_one_does_not(tmp_path: Path) -> None:
    tree(a_c="1", b_c="2").write(tmp_path)
    for name in ("a.c", "b.c"):
        os.utime(tmp_path / name, (OLD, OLD))
    tree(a_c="1", b_c="3").write(tmp_path)
    assert (tmp_path / "a.c").stat().st_mtime == OLD
    assert (tmp_path / "b.c").stat().st_mtime > OLD
    assert (tmp_path / "b.c").read_text(encoding="utf-8") == "3"


def test_what_an_earlier_run_wrote_and_this_one_does_not_is_removed(tmp_path: Path) -> None:
    tree(src__old__deep__a_c="1", keep_c="2").write(tmp_path)
    tree(keep_c="2").write(tmp_path)
    assert names(tmp_path) == {"keep.c"}


def test_a_folder_of_other_origin_is_added_to_and_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "thesis.tex").write_text("mine", encoding="utf-8")
    tree(src__a_c="1").write(tmp_path)
    assert names(tmp_path) == {"src", "src/thesis.tex", "src/a.c"}


def test_only_what_was_written_is_ever_removed(tmp_path: Path) -> None:
    """Neither a file that was there before the first run, nor one that was put beside its files later."""
    (tmp_path / "thesis.tex").write_text("mine", encoding="utf-8")
    tree(src__a_c="1").write(tmp_path)
    (tmp_path / "src" / "notes.txt").write_text("mine too", encoding="utf-8")
    tree(b_c="2").write(tmp_path)
    assert names(tmp_path) == {"thesis.tex", "src", "src/notes.txt", "b.c"}
    tree(b_c="2").write(tmp_path)
    assert names(tmp_path) == {"thesis.tex", "src", "src/notes.txt", "b.c"}


def test_a_marker_cannot_reach_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").touch()
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / MARKER).write_text(f"title\n../precious.txt\n{tmp_path}/precious.txt\n", encoding="utf-8")
    tree(a_c="1").write(folder)
    assert (tmp_path / "precious.txt").exists()


def test_files_are_sorted_whatever_the_order_they_came_in() -> None:
    assert list(tree(b_c="2", a_c="1").files) == [PurePosixPath("a.c"), PurePosixPath("b.c")]
