"""The report's picture in the README: `python -m tests.bench.screenshot` deploys DS-CNN under budgets and takes it.

Needs `../shared/data` and Chromium. The first run takes some minutes, since the network is built once per width; with
--run FOLDER the picture is taken of a run that is there.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from sq_micro import api
from sq_micro.paths import project_files, write_atomically
from sq_micro.report.html.page import render_html
from sq_micro.report.result import Result
from tests.acceptance.networks import DATA
from tests.browser.chromium import launched, program

PICTURE = project_files() / "docs" / "images" / "report.png"
MOST_BYTES = 200_000
_NETWORK, _BOARD = "dscnn_kws", "nucleo_l4r5zi"
_SIZE = {"width": 1120, "height": 1040}


def searched_run(folder: Path) -> Path:
    """Deploy the network under budgets; the folder of the run."""
    source = DATA / _NETWORK
    model = folder / f"{_NETWORK}.keras"  # the file's name is the model's, as Keras made up the one inside
    shutil.copy(source / "model.keras", model)
    calibrate, evaluate = source / "calib.npz", source / "eval.npz"
    out = folder / "run"
    api.deploy(
        model,
        _BOARD,
        calibrate=calibrate,
        evaluate=evaluate,
        out=out,
        flash="34KiB",
        latency="40ms",
        max_drop=1.5,
        workers=1,
    )
    return out


def picture_of(result: Result, executable: str) -> bytes:
    """The upper part of the page as PNG, in light colours."""
    with tempfile.TemporaryDirectory() as folder, launched(executable) as browser:
        file = Path(folder) / "report.html"
        file.write_text(render_html(result), encoding="utf-8")
        page = browser.new_context(viewport=_SIZE, color_scheme="light").new_page()
        page.goto(file.as_uri())
        taken: bytes = page.screenshot()
        return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="folder of a run")
    folder = parser.parse_args().run
    executable = program()
    if executable is None:
        sys.exit("Chromium is not installed (make extras)")
    with tempfile.TemporaryDirectory() as scratch:
        run = folder or searched_run(Path(scratch))
        picture = picture_of(Result.model_validate_json((run / "result.json").read_text(encoding="utf-8")), executable)
    if len(picture) > MOST_BYTES:
        sys.exit(f"the picture has {len(picture):,} bytes; {MOST_BYTES:,} are allowed")
    write_atomically(PICTURE, picture)
    print(f"{PICTURE}: {len(picture):,} bytes")


if __name__ == "__main__":
    main()
