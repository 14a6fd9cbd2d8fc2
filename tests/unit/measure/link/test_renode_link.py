"""The Renode link against a program that speaks as Renode does; against Renode itself where it is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.errors import LinkError, ToolchainError
from sq_micro.measure.harness import measure
from sq_micro.measure.link import renode_link, renode_process
from sq_micro.measure.link.renode_link import RenodeLink, Way, write_run_files
from sq_micro.measure.session import Session
from tests.unit.measure.fake_firmware import MODEL_BYTES, MODEL_HASH, NUCLEO, build_fake_firmware, missing

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
needs_renode = pytest.mark.skipif(
    not (os.environ.get("SQ_RENODE") or shutil.which("renode")), reason="renode is not installed"
)
needs_arm_gcc = pytest.mark.skipif(
    bool(missing("cmake", "ninja", "arm-none-eabi-gcc")), reason="arm-none-eabi-gcc, cmake or ninja is not installed"
)

SAMPLE = bytes(index * 7 % 125 for index in range(MODEL_BYTES))


def link_to(stand_in: Path, folder: Path, mood: str = "", way: Way = "pty", start_s: float = 30.0) -> RenodeLink:
    os.environ["SQM_STAND_IN"] = mood
    elf = folder / "firmware image.elf"  # a space, as in the folders of many people
    elf.write_bytes(b"\x7fELF")
    return RenodeLink(elf, load_board("nucleo_l4r5zi"), folder / "run", renode=str(stand_in), way=way, start_s=start_s)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renode_process, "_QUIT_S", 1.0)
    monkeypatch.setattr(renode_process, "_KILL_S", 0.3)
    monkeypatch.setattr(renode_link, "_CONNECT_S", 1.0)


@pytest.mark.parametrize("way", ["pty", "socket"])
def test_a_firmware_runs(
    stand_in: Path, tmp_path: Path, host_firmware: Path, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    monkeypatch.setenv("SQM_STAND_IN_FIRMWARE", str(host_firmware))
    link = link_to(stand_in, tmp_path, way=way)
    with Session(link, model_hash=MODEL_HASH) as session:
        assert session.run(SAMPLE)[1] == SAMPLE[::-1]
        assert link.program is not None
        assert link.program.version == (1, 16, 1)
        process = link._process
    assert process is not None
    assert process._process.returncode == 0, "Renode quits by itself"
    said = link.log.read_text(encoding="utf-8")
    assert "SQM-READY" in said
    assert "Renode is quitting" in said
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("board.repl", "run.resc", "firmware.robot", "renode.log")
    }


def test_nothing_is_left_behind(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporaries = tmp_path / "temporaries"
    temporaries.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporaries))
    link = link_to(stand_in, tmp_path)
    link.open()
    assert [path.name.startswith("sqm-emulation-") for path in temporaries.iterdir()] == [True]
    link.write(b"echo")
    assert link.read(4, 10) == b"echo"
    link.reset()
    link.write(b"anew")
    assert link.read(4, 10) == b"anew"
    link.close()
    link.close()
    assert not list(temporaries.iterdir())


def test_a_slow_start_is_waited_for(stand_in: Path, tmp_path: Path) -> None:
    link = link_to(stand_in, tmp_path, "slow")
    link.open()
    link.close()


def test_a_start_that_never_ends_is_ended(stand_in: Path, tmp_path: Path) -> None:
    link = link_to(stand_in, tmp_path, "hang", start_s=1.0)
    with pytest.raises(LinkError, match=r"not started the firmware within 1 s.*renode\.log"):
        link.open()
    assert link._process is None


def test_a_renode_that_does_not_quit_is_made_to(stand_in: Path, tmp_path: Path) -> None:
    link = link_to(stand_in, tmp_path, "freeze")
    link.open()
    process = link._process
    assert process is not None
    began = time.monotonic()
    link.close()
    assert process._process.returncode == -9
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("mood", "text"),
    [
        ("bad_platform", r"Renode refuses 'machine LoadPlatformDescription .*Could not resolve type.*renode\.log"),
        ("die", r"Renode has ended \(2\): Cannot open assembly"),
    ],
)
def test_what_stops_the_start_is_told(stand_in: Path, tmp_path: Path, mood: str, text: str) -> None:
    with pytest.raises(LinkError, match=text):
        link_to(stand_in, tmp_path, mood).open()


def test_an_elf_that_is_gone_is_told(stand_in: Path, tmp_path: Path) -> None:
    link = link_to(stand_in, tmp_path)
    (tmp_path / "firmware image.elf").unlink()
    with pytest.raises(LinkError, match=r"refuses 'sysbus LoadELF .*Parameters did not match the signature"):
        link.open()


def talk(link: RenodeLink, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        link.write(b"x")
        link.read(1, 20.0)


def test_a_crash_is_told_by_the_next_read_or_write(stand_in: Path, tmp_path: Path) -> None:
    link = link_to(stand_in, tmp_path, "crash")
    link.open()
    with pytest.raises(LinkError, match=r"Renode says: Fatal error: System\.NullReferenceException"):
        talk(link, 10.0)
    link.close()


def test_a_stray_access_of_the_firmware_is_no_result(stand_in: Path, tmp_path: Path) -> None:
    link = link_to(stand_in, tmp_path, "unmapped")
    with pytest.raises(LinkError, match=r"reaches for 0x50000000 .*\[\[renode\.registers\]\]"):
        Session(link).open()


def test_a_stray_access_is_found_although_every_answer_comes(stand_in: Path, tmp_path: Path) -> None:
    link = link_to(stand_in, tmp_path, "unmapped_later")
    link.open()
    with pytest.raises(LinkError, match="reaches for 0x50000000"):
        talk(link, 10.0)
    link.close()


def test_a_taken_port_is_tried_again_elsewhere(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQM_STAND_IN_FLAG", str(tmp_path / "flag"))
    link = link_to(stand_in, tmp_path, "port_taken_once", way="socket")
    link.open()
    link.close()
    with pytest.raises(LinkError, match="belongs to another program"):
        link_to(stand_in, tmp_path, "port_taken", way="socket").open()


def test_a_renode_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="nowhere/renode"):
        link_to(Path("nowhere/renode"), tmp_path).open()


def test_free_ports_are_free() -> None:
    with socket.create_server(("127.0.0.1", renode_link._free_port())):
        pass


# ---- Renode itself ----


@needs_renode
@needs_arm_gcc
@pytest.mark.parametrize("way", ["pty", "socket"])
def test_renode_runs_the_nucleo_image_and_counts_its_instructions(tmp_path: Path, way: Way) -> None:
    import numpy as np

    elf = build_fake_firmware(tmp_path, NUCLEO)
    samples = np.frombuffer(SAMPLE, dtype=np.int8).reshape(1, -1)
    link = RenodeLink(elf, load_board("nucleo_l4r5zi"), tmp_path / "run", way=way)
    with Session(link, model_hash=MODEL_HASH) as session:
        measured = measure(session, samples, samples[:, ::-1], runs=3)
    assert measured.identical == 1
    assert measured.cycles is None
    assert measured.instructions is not None
    assert len(set(measured.instructions)) == 1, "Renode counts the same in every run"


@needs_arm_gcc
@pytest.mark.skipif(shutil.which("renode-test") is None, reason="renode-test is not installed")
def test_the_robot_test_passes_in_renode(tmp_path: Path) -> None:
    elf = build_fake_firmware(tmp_path, NUCLEO)
    write_run_files(tmp_path / "run", load_board("nucleo_l4r5zi"), elf, "fake")
    done = subprocess.run(["renode-test", str(tmp_path / "run" / "firmware.robot")], check=False)
    assert done.returncode == 0
