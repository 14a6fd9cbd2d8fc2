"""`sq-micro doctor`: what this machine has, and what each thing is for."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import metadata

from pydantic import BaseModel, ConfigDict
from rich import box
from rich.console import Console
from rich.table import Table

from sq_micro.errors import ToolchainError
from sq_micro.toolchain.cmake import find_program
from sq_micro.toolchain.compiler import zig_path

_VERSION = re.compile(r"\d+\.\d+(\.\d+)*(?![\w:])")

_PACKAGES = (
    ("keras", "reads models", True, "pip install keras"),
    ("jax", "numerical backend of Keras' readers and of training", True, "pip install jax"),
    ("unicorn", "simulated core", False, "pip install 'sq-micro[sim]'"),
    ("tflite-micro", "oracle of every deployment", False, "pip install 'sq-micro[oracle]'"),
    ("ai-edge-litert", "second runtime, for comparison", False, "pip install 'sq-micro[oracle]'"),
)
_PROGRAMS = (
    ("arm-none-eabi-gcc", "builds for Arm boards in zig's place", "Debian: apt-get install gcc-arm-none-eabi"),
    ("gcc", "builds for the host", "Debian: apt-get install gcc"),
    (
        "riscv64-unknown-elf-gcc",
        "builds for RISC-V boards in zig's place",
        "Debian: apt-get install gcc-riscv64-unknown-elf",
    ),
    ("qemu-system-arm", "runs images of the mps2 and mps3 boards", "Debian: apt-get install qemu-system-arm"),
    ("qemu-system-riscv32", "runs hifive1_revb images", "Debian: apt-get install qemu-system-misc"),
)


class Finding(BaseModel):
    """One thing that may be there; `version` is None iff it is not."""

    model_config = ConfigDict(frozen=True)

    name: str
    purpose: str
    version: str | None
    required: bool
    remedy: str


class Findings(BaseModel):
    """ready: everything that `deploy` to a simulated board cannot do without is there."""

    model_config = ConfigDict(frozen=True)

    ready: bool
    findings: list[Finding]


def examine() -> Findings:
    """Look at packages, compilers, build tools and simulators."""
    found = [
        Finding(name=name, purpose=purpose, version=_package(name), required=required, remedy=remedy)
        for name, purpose, required, remedy in _PACKAGES
    ]
    found += [
        Finding(
            name=name,
            purpose="builds the firmware",
            version=_build_tool(name),
            required=True,
            remedy=f"pip install {name}",
        )
        for name in ("cmake", "ninja")
    ]
    programs = [
        Finding(name=name, purpose=purpose, version=_program(name), required=False, remedy=remedy)
        for name, purpose, remedy in _PROGRAMS
    ]
    zig = zig_path()
    zig_version = metadata.version("ziglang") if zig else None
    cross_compiler = programs[0].version is not None
    found.append(
        Finding(
            name="ziglang",
            purpose="builds the firmware without any other compiler",
            version=zig_version,
            required=not cross_compiler,
            remedy="pip install ziglang",
        )
    )
    found += programs
    ready = all(finding.version is not None for finding in found if finding.required)
    return Findings(ready=ready, findings=found)


def print_findings(findings: Findings) -> None:
    """A table, then one line that says whether `deploy` will work."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("", "what", "version", "for"):
        table.add_column(column)
    for finding in findings.findings:
        if finding.version is not None:
            table.add_row("[green]ok[/]", finding.name, finding.version, finding.purpose)
        else:
            mark = "[red]missing[/]" if finding.required else "[yellow]absent[/]"
            table.add_row(mark, finding.name, "", f"{finding.purpose}: {finding.remedy}")
    console = Console()
    console.print(table)
    console.print("ready to deploy" if findings.ready else "not ready: install what is marked as missing")


def _package(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _build_tool(name: str) -> str | None:
    try:
        return _first_version_line(find_program(name))
    except ToolchainError:
        return None


def _program(name: str) -> str | None:
    path = shutil.which(name)
    return _first_version_line(path) if path else None


def _first_version_line(program: str) -> str | None:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    number = _VERSION.search(done.stdout)
    return number[0] if number else next(iter(done.stdout.splitlines()), None)
