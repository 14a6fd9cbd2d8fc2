"""Builds the fuzzers of the firmware's parsers, and runs them: `python -m tests.fuzz.build SECONDS`, `make fuzz`.

A fuzzer is the real code of the firmware between a machine that counts its mistakes (`machine.c`) and libFuzzer, with
ASan and UBSan in it. What it finds of new paths goes to the folder that it is given, never into the corpus here.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sq_micro.paths import project_files

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Fuzzer:
    """sources are files of firmware/; corpus is a folder of corpus/."""

    name: str
    sources: tuple[str, ...]
    options: tuple[str, ...] = ()

    @property
    def corpus(self) -> Path:
        return FOLDER / "corpus" / self.name


FUZZERS = (
    Fuzzer("server", tuple(f"protocol/{name}.c" for name in ("server", "runs", "frame", "cobs", "crc32"))),
    Fuzzer("mlperf", ("app/mlperf_tiny.c", "app/text.c"), ("-Dmain=mlperf_main",)),
)


def missing() -> str:
    """Why no fuzzer can be built here; empty where one can."""
    if shutil.which("clang") is None:
        return "clang is not installed"
    probe = "int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return (d != 0) & (n > 1) & 0; }\n"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text(probe)
        done = subprocess.run(
            ["clang", "-fsanitize=fuzzer,address,undefined", str(source), "-o", str(source.with_suffix(""))],
            capture_output=True,
            check=False,
        )
    return "" if done.returncode == 0 else "clang has no libFuzzer (Debian: apt-get install libclang-rt-14-dev)"


def build(fuzzer: Fuzzer, folder: Path) -> Path:
    """The program."""
    firmware = project_files() / "firmware"
    program = folder / f"fuzz_{fuzzer.name}"
    command = ["clang", "-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    command += ["-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", *fuzzer.options]
    command += [f"-I{path}" for path in (FOLDER, FOLDER / "model", firmware, firmware / "include")]
    sources = [FOLDER / f"fuzz_{fuzzer.name}.c", FOLDER / "machine.c", *(firmware / name for name in fuzzer.sources)]
    subprocess.run([*command, *map(str, sources), "-o", str(program)], check=True)
    return program


def run(fuzzer: Fuzzer, program: Path, folder: Path, *limits: str) -> subprocess.CompletedProcess[str]:
    """From the corpus on, until the limits; new paths and what crashes go to `folder`."""
    found = folder / f"found_{fuzzer.name}"
    found.mkdir(exist_ok=True)
    arguments = ("-max_len=1024", "-timeout=10", "-print_final_stats=1", f"-artifact_prefix={folder}/", *limits)
    return subprocess.run(
        [str(program), *arguments, str(found), str(fuzzer.corpus)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def main() -> int:
    """Each fuzzer for so many seconds. Returns the exit code."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    if problem := missing():
        print(problem)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="sqm-fuzz-"))
    for fuzzer in FUZZERS:
        done = run(fuzzer, build(fuzzer, folder), folder, f"-max_total_time={seconds}")
        if done.returncode != 0:
            print(done.stdout)
            print(f"{fuzzer.name}: a defect; what leads to it is in {folder}")
            return 1
        executions = next(line.split()[-1] for line in done.stdout.splitlines() if "number_of_executed_units" in line)
        print(f"{fuzzer.name}: {int(executions):,} executions in {seconds} s, no defect")
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
