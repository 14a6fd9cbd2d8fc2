"""The support archive: what helps is in it, what is somebody's own is not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from sq_micro.doctor.bundle import Redactor, write_bundle
from sq_micro.doctor.findings import Findings
from tests.acceptance.command_line import sq_micro

NOTHING = Findings.of([])
SECRETS = ("ada", "lovelace-pc", "/home/ada", "secret project")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with a person's traces in every text, and what is not to leave the house."""
    folder = tmp_path / "secret project" / "out"
    (folder / "model" / "src").mkdir(parents=True)
    (folder / "build").mkdir()
    text = f"cc /home/ada/work/x.c in {folder}/build by ada@lovelace-pc, C:\\Users\\ada\\x, /Users/ada/y\n"
    for name in ("build.log", "build/build.log", "02_canonical.txt", "09_sections.csv"):
        (folder / name).write_text(text)
    (folder / "sqm.lock").write_text(json.dumps({"file": "../../home/ada/m.keras", "where": str(folder)}))
    (folder / "result.json").write_text('{"note": "caf\\u00e9"}')
    for name in ("02_canonical.npz", "07_twin.tflite", "firmware.elf", "model/src/weights.c", "07_golden.npz"):
        (folder / name).write_text("WEIGHTS")
    return folder


def packed(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def redactor(run: Path) -> Redactor:
    return Redactor({str(run): "<run>"}, ("ada",), "lovelace-pc")


def test_nothing_personal_and_no_weights(run: Path, tmp_path: Path) -> None:
    texts = packed(write_bundle(tmp_path / "b.zip", NOTHING, run, redactor(run)).file)
    for name, text in texts.items():
        assert not [secret for secret in SECRETS if secret in text], name
        assert "WEIGHTS" not in text, name
    assert texts["run/build.log"].startswith(
        "cc /home/<user>/work/x.c in <run>/build by <user>@<host>, C:\\Users\\<user>"
    )
    assert json.loads(texts["run/sqm.lock"]) == {"file": "../../home/<user>/m.keras", "where": "<run>"}
    assert json.loads(texts["run/result.json"]) == {"note": "café"}


def test_it_says_what_helps(run: Path, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b.zip", NOTHING, run, redactor(run))
    texts = packed(bundle.file)
    assert tuple(texts) == bundle.names
    assert texts["CONTENTS.txt"].split() == ["CONTENTS.txt", *(name for name in texts if name != "CONTENTS.txt")]
    versions = json.loads(texts["versions.json"])
    assert versions["sq-micro"]
    assert "numpy" in versions["packages"]
    assert json.loads(texts["doctor.json"])["ready"] is True


def test_equal_content_is_equal_bytes(run: Path, tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "1.zip", NOTHING, run, redactor(run)).file.read_bytes()
    assert write_bundle(tmp_path / "2.zip", NOTHING, run, redactor(run)).file.read_bytes() == first


def test_of_a_long_log_the_end_is_kept(run: Path, tmp_path: Path) -> None:
    (run / "build.log").write_text("x" * 2_000_000 + "the error")
    text = packed(write_bundle(tmp_path / "b.zip", NOTHING, run, redactor(run)).file)["run/build.log"]
    assert len(text) == 1_000_000
    assert text.endswith("the error")


def test_a_user_called_root_does_not_cost_every_word_root() -> None:
    assert Redactor({}, ("root", ""), "").redact("the root of x") == "the root of x"


def test_the_command_packs_without_a_run_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("LOGNAME", "ada")
    file = tmp_path / "support.zip"
    ran = sq_micro("doctor", "--board", "host", "--bundle", file, "--out", tmp_path / "none")
    assert ran.code in (0, 5), ran.err
    assert str(file) in ran.out
    assert set(packed(file)) == {"doctor.json", "versions.json", "CONTENTS.txt"}
    assert not [text for text in packed(file).values() if "/home/ada" in text]
