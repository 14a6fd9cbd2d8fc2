from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from sq_micro.errors import ToolchainError, UsageError
from sq_micro.measure.flash.volume import copy_to_volume, find_volume


def test_a_volume_is_found_by_its_label(tmp_path: Path) -> None:
    volume = tmp_path / "media" / "NODE_L4R5ZI"
    volume.mkdir(parents=True)
    (tmp_path / "media" / "NODE_L4R5ZI_BACKUP").mkdir()
    folders = [tmp_path / "absent", tmp_path / "media"]
    assert find_volume("NODE_L4R5ZI", folders) == volume
    assert find_volume("RPI-RP2", folders) is None


def test_of_two_volumes_none_is_chosen(tmp_path: Path) -> None:
    for name in ("NODE_L4R5ZI", "NODE_L4R5ZI1"):
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=r"2 volumes are called NODE_L4R5ZI.*choose with --volume"):
        find_volume("NODE_L4R5ZI", [tmp_path])


def image(folder: Path) -> Path:
    path = folder / "firmware.bin"
    path.write_bytes(bytes(range(256)))
    return path


def test_what_is_copied_arrives(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "FAIL.TXT").write_text("from last time")
    copy_to_volume(image(tmp_path), volume, settle_s=0.0)
    assert (volume / "firmware.bin").read_bytes() == bytes(range(256))


def test_a_complaint_of_the_board_is_an_error(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()

    def complain() -> None:
        while not (volume / "firmware.bin").exists():
            time.sleep(0.01)
        (volume / "FAIL.TXT").write_text("The interface firmware FAILED\nto reset/halt the target MCU\n")

    thread = threading.Thread(target=complain)
    thread.start()
    with pytest.raises(ToolchainError, match="refuses the image: The interface firmware FAILED to reset/halt"):
        copy_to_volume(image(tmp_path), volume, settle_s=10.0)
    thread.join()


def test_a_volume_that_is_not_mounted_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="is not mounted; plug the board in"):
        copy_to_volume(image(tmp_path), tmp_path / "absent")
