"""Carry out a plan."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from sq_micro.errors import ToolchainError
from sq_micro.measure.flash.image import flat_binary, uf2
from sq_micro.measure.flash.steps import Convert, Copy, FlashPlan, Run
from sq_micro.measure.flash.volume import copy_to_volume
from sq_micro.measure.link.run_program import run_program
from sq_micro.paths import write_atomically
from sq_micro.simulate.image import load_image

_LIMIT_S = 300.0  # 2 MiB over a slow probe take a minute


def perform(plan: FlashPlan, log: Path) -> None:
    """Do each step; `log` gets what the programs say. Raises ToolchainError iff one fails, or lacks its proof."""
    said: list[str] = []
    for step in plan.steps:
        match step:
            case Run():
                _run(step, said, log)
            case Convert():
                _convert(step)
            case Copy():
                copy_to_volume(step.source, step.volume)
            case _:
                assert_never(step)


def _run(step: Run, said: list[str], log: Path) -> None:
    done = run_program(step.argv, _LIMIT_S)
    said.append(f"$ {step}\n{done.text}")
    write_atomically(log, "\n".join(said))
    name = Path(step.argv[0]).name
    if done.exit_code != 0:
        raise ToolchainError(f"{name} ended with {done.exit_code}: {done.last_line}", log)
    if step.proof is not None and step.proof not in done.text:
        raise ToolchainError(f"{name} ended well, but did not say '{step.proof}': the flash is not verified", log)


def _convert(step: Convert) -> None:
    segments = load_image(step.elf).segments
    if step.form == "uf2":
        assert step.family_id is not None
        write_atomically(step.target, uf2(segments, step.family_id))
    else:
        write_atomically(step.target, flat_binary(segments))
