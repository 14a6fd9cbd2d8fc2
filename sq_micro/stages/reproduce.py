"""Builds a locked run again, and says what differs where it is not the same, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sq_micro.board import board_ids
from sq_micro.errors import UsageError
from sq_micro.paths import write_atomically
from sq_micro.stages.analyze import analyze
from sq_micro.stages.build import build
from sq_micro.stages.generate import generate
from sq_micro.stages.lock import (
    Lock,
    LockedFile,
    LockedOutputs,
    LockedTools,
    current_outputs,
    current_tools,
    read_lock,
    sha256_of,
)
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import QuantizeOptions, quantize
from sq_micro.stages.records import StageRecord
from sq_micro.workspace import Workspace

_PLAN = "locked_bits.json"


class Reproduction(StageRecord):
    """differences: of what came out. tools: what computes here otherwise than there, which may be why.

    Debug information alone makes no difference to what is flashed: it may name folders of the compiler.
    """

    identical: bool
    same_debug_information: bool
    differences: list[str]
    tools: list[str]

    def __str__(self) -> str:
        if self.identical:
            what = "sources and firmware.elf" if self.same_debug_information else "sources and loaded image"
            debug = "" if self.same_debug_information else "; debug information of firmware.elf differs"
            note = f" (although {'; '.join(self.tools)})" if self.tools else ""
            return f"identical: integers, {what}, byte for byte{debug}{note}"
        lines = [f"differs: {difference}" for difference in self.differences]
        return "\n".join([*lines, *(f"perhaps since {tool}" for tool in self.tools)])


def reproduce(lock_file: Path, out: Path, inputs: Path | None = None, notify: Notify = silent) -> Reproduction:
    """Quantize, generate and build as the lock says, in a folder of its own, and compare. Nothing is searched for:
    the lock has the bits.

    inputs  a folder with model, samples and board file, if they do not lie where they lay
    Raises UsageError naming every input that is missing, or is not the one that was locked.
    """
    lock = read_lock(lock_file)
    files = _found(lock, lock_file.resolve().parent, inputs)
    workspace = Workspace(out)
    workspace.open()
    analyze(workspace, files["model"], files.get("calibrate") if lock.settings.equalised else None)
    settings = lock.settings
    plan = {"operators": settings.bits, "activations": settings.activation_bits, "kernels": settings.kernels}
    write_atomically(workspace / _PLAN, json.dumps(plan, indent=2) + "\n")
    options = QuantizeOptions(
        files.get("calibrate"),
        files.get("evaluate"),
        str(workspace / _PLAN),
        settings.observer,
        settings.rounding,
        settings.weight_scales,
        settings.samples,
        files.get("train"),
        settings.epochs,
        settings.learning_rate,
        settings.int4,
    )
    quantize(workspace, options, notify)
    generate(workspace, str(files.get("board", lock.board)), arena_limit_bytes=settings.arena_limit_bytes)
    built = build(workspace, settings.compiler)
    there, here = lock.outputs, current_outputs(workspace)
    differences = list(_different_outputs(there, here))
    tools = list(_different_tools(lock.tools, current_tools(built.build.compiler)))
    return Reproduction(
        identical=not differences,
        same_debug_information=there.elf_sha256 == here.elf_sha256,
        differences=differences,
        tools=tools,
    )


def _found(lock: Lock, folder: Path, inputs: Path | None) -> dict[str, Path]:
    """Every input by its role, checked."""
    wanted = {"model": lock.model, "calibrate": lock.calibrate, "evaluate": lock.evaluate, "train": lock.train}
    if lock.board not in board_ids():
        wanted["board"] = LockedFile(file=lock.board, sha256=lock.board_sha256)
    found, problems = {}, []
    for role, locked in wanted.items():
        if locked is None:
            continue
        places = [folder / locked.file, *([inputs / Path(locked.file).name] if inputs is not None else [])]
        present = [place for place in places if place.is_file()]
        same = [place for place in present if sha256_of(place) == locked.sha256]
        if same:
            found[role] = same[0]
        else:
            problems.append(f"{role} {present[0]} has changed" if present else f"{role} {locked.file} is missing")
    if problems:
        raise UsageError(f"{'; '.join(problems)}; name the folder that holds the inputs of that run with --inputs")
    return found


def _different_outputs(there: LockedOutputs, here: LockedOutputs) -> Iterator[str]:
    if there.model_hash != here.model_hash:
        yield f"integers of the model ({there.model_hash[:16]} there, {here.model_hash[:16]} here)"
    for name in sorted(there.sources.keys() | here.sources.keys()):
        if there.sources.get(name) != here.sources.get(name):
            yield f"source {name}"
    if there.image_sha256 != here.image_sha256:
        yield "image, as it is loaded onto the chip"


def _different_tools(there: LockedTools, here: LockedTools) -> Iterator[str]:
    for word, old, new in (
        ("sq-micro", there.version, here.version),
        ("Python", there.python, here.python),
        ("compiler", there.compiler, here.compiler),
    ):
        if old != new:
            yield f"{word} was {old} and is {new}"
    if there.version == here.version and there.code_sha256 != here.code_sha256:
        yield "the code of sq-micro has changed"
    for name in sorted(there.packages.keys() | here.packages.keys()):
        if there.packages.get(name) != here.packages.get(name):
            yield f"{name} was {there.packages.get(name, 'absent')} and is {here.packages.get(name, 'absent')}"
