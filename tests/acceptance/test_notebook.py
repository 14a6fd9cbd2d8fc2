"""The example notebook runs from top to bottom."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT

TIME_LIMIT_S = 300


@pytest.mark.slow
@pytest.mark.simulator
def test_the_digits_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    folder = tmp_path / "digits"
    shutil.copytree(ROOT / "examples" / "digits", folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    notebook = nbformat.read(folder / "digits.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not committed: they differ by machine"
    client = nbclient.NotebookClient(notebook, timeout=TIME_LIMIT_S, resources={"metadata": {"path": str(folder)}})
    client.execute()
    shown = "".join(
        "".join(output.get("data", {}).values()) + output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    )
    assert "20 of 20 samples identical to tflite-micro" in shown
    assert "stored as int4" in shown or "stored as int8" in shown
    assert (folder / "out" / "digits_library" / "library.json").is_file()
