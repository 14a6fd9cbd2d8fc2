"""A support archive: versions, records and logs of a run, with nothing in it that is somebody's own.

What goes in is a list of names, so that a new artefact stays out until somebody has looked at it. Weights, samples,
sources and images are not on it. Texts are redacted: users, home folders, host name.
"""

from __future__ import annotations

import getpass
import io
import json
import platform
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sq_micro import __version__
from sq_micro.doctor.findings import Findings
from sq_micro.paths import project_files, write_atomically

_FROM_RUN = (
    *("analyze.json", "assign.json", "quantize.json", "generate.json", "build.json", "result.json", "sqm.lock"),
    *("01_imported.txt", "02_canonical.txt", "03_ranges.txt", "05_assignment.txt", "06_quantized.txt", "08_plan.txt"),
    *("04_sensitivity.csv", "09_sections.csv", "11_measurement.json", "bits.json", "nearest_bits.json"),
    *("build.log", "build/build.log", "flash.log", "board/board.cmake", "board/board_config.h", "board/linker.ld"),
    *("renode/renode.log", "renode/run.resc", "mlperf/build.log"),
)
_MOST_BYTES = 1_000_000  # of one file; of a longer one its end, where the error is
_DATE = (1980, 1, 1, 0, 0, 0)  # of every entry: when it was packed is nobody's business
_HOMES = re.compile(r"(?i)((?:/home|/users|/export/home|[a-z]:[\\/]+users)[\\/]+)[^\\/\s\"']+")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was packed, by name in the archive."""

    file: Path
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}: {len(self.names)} files, without weights, samples, user names and home folders"


class Redactor:
    """Takes people and places out of texts.

    >>> Redactor({"/tmp/secret/run": "<run>"}, ("ada",)).redact("/home/ada/x: by ada, in /tmp/secret/run/build")
    '/home/<user>/x: by <user>, in <run>/build'
    """

    def __init__(self, places: Mapping[str, str], users: tuple[str, ...], host: str = "") -> None:
        # The longest first, since one place may lie in another.
        self._places = sorted(places.items(), key=lambda item: -len(item[0]))
        names = [(user, "<user>") for user in users if user not in ("", "root")] + ([(host, "<host>")] if host else [])
        self._names = [(re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"), word) for name, word in names]

    @classmethod
    def of_this_machine(cls, out: Path) -> Redactor:
        """Who runs this, where sq-micro and the run lie, what the host is called."""
        home = Path.home()
        places = {str(home): "<home>", str(project_files()): "<sq-micro>", str(Path.cwd()): "<here>"}
        places |= {str(folder): "<run>" for folder in (out.absolute(), out.resolve())}
        return cls({place: word for place, word in places.items() if len(place) > 1}, _users(), platform.node())

    def redact(self, text: str) -> str:
        """The text with a word in angle brackets for everything that was found."""
        for place, word in self._places:
            text = text.replace(place, word).replace(place.replace("\\", "\\\\"), word)
        text = _HOMES.sub(r"\1<user>", text)
        for name, word in self._names:
            text = name.sub(word, text)
        return text


def write_bundle(file: Path, findings: Findings, out: Path, redactor: Redactor | None = None) -> Bundle:
    """Pack what is known of this machine and, where `out` holds a run, of that; equal content gives equal bytes."""
    redact = (redactor or Redactor.of_this_machine(out)).redact
    texts = {"doctor.json": findings.model_dump_json(indent=2), "versions.json": _versions()}
    for name in _FROM_RUN:
        path = out / name
        if path.is_file():
            texts[f"run/{name}"] = path.read_bytes()[-_MOST_BYTES:].decode("utf-8", errors="replace")
    texts["CONTENTS.txt"] = "".join(f"{name}\n" for name in ("CONTENTS.txt", *texts))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), redact(text), zipfile.ZIP_DEFLATED)
    write_atomically(file, content.getvalue())
    return Bundle(file, tuple(texts))


def _users() -> tuple[str, ...]:
    try:
        return (getpass.getuser(), Path.home().name)
    except (OSError, KeyError):  # a user id without a name
        return (Path.home().name,)


def _versions() -> str:
    """Of sq-micro, of Python, of the operating system, and of every package that sq-micro asks for."""
    names = sorted({re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in metadata.requires("sq-micro") or ()})
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    system = {"system": platform.system(), "release": platform.release(), "machine": platform.machine()}
    document = {"sq-micro": __version__, "python": platform.python_version(), **system, "packages": found}
    return json.dumps(document, indent=2) + "\n"
