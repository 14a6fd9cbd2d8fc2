"""Packages, compilers, build tools and simulators of this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import metadata

from sq_micro.doctor.findings import Finding, Findings
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


def examine() -> Findings:
    """What is here for any board; a compiler and what reads models are required."""
    programs = [
        Finding(name=name, purpose=purpose, version=program_version(name), required=False, remedy=remedy)
        for name, purpose, remedy in _PROGRAMS
    ]
    zig = zig_finding("builds the firmware without any other compiler", required=programs[0].version is None)
    return Findings.of([*packages(), *build_tools(), zig, *programs])


def packages(simulated: bool = False) -> list[Finding]:
    """Python packages that are looked for by name; `simulated`: the simulated core is needed."""
    return [
        Finding(
            name=name,
            purpose=purpose,
            version=_package(name),
            required=required or (simulated and name == "unicorn"),
            remedy=remedy,
        )
        for name, purpose, required, remedy in _PACKAGES
    ]


def build_tools() -> list[Finding]:
    """CMake and Ninja, which come as packages where the system has none."""
    return [
        Finding(
            name=name,
            purpose="builds the firmware",
            version=_build_tool(name),
            required=True,
            remedy=f"pip install {name}",
        )
        for name in ("cmake", "ninja")
    ]


def zig_finding(purpose: str, required: bool) -> Finding:
    """The compiler that comes as a package."""
    version = metadata.version("ziglang") if zig_path() else None
    return Finding(name="ziglang", purpose=purpose, version=version, required=required, remedy="pip install ziglang")


def _package(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _build_tool(name: str) -> str | None:
    try:
        return first_version_line(find_program(name))
    except ToolchainError:
        return None


def program_version(name: str) -> str | None:
    """What a program on PATH says of its version; None where it is not there, or does not run."""
    path = shutil.which(name)
    return first_version_line(path) if path else None


def first_version_line(program: str) -> str | None:
    """The version of a program, by its path."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    number = _VERSION.search(done.stdout)
    return number[0] if number else next(iter(done.stdout.splitlines()), None)
