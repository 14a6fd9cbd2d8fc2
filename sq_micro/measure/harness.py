"""Samples through a firmware, and what came out: outputs, cycles, instructions, stack. Knows nothing of bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sq_micro.errors import LinkError
from sq_micro.measure.counter_check import check_counter
from sq_micro.measure.link.base import CountingLink, CycleKind
from sq_micro.measure.session import Session
from sq_micro.reference.golden_vectors import first_difference

Int8Array = NDArray[np.int8]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a firmware did.

    link                  its name: simulator, host, qemu, renode, serial
    counter_alive         it counted in the self-test, so that its figures can be believed
    cycle_source          what the cycles are: modelled, measured, or none
    clock_hz              as the firmware was built; None where its clock is not known, as on a host
    runs                  timed invokes: the length of cycles and of instructions
    cycles, instructions  per timed invoke, or None where nothing counts them
    operator_cycles       of one more invoke, operator by operator, of the first sample
    operator_instructions  of the same invoke; None where nothing counts them. A device whose counter counts
                          instructions has no cycles at all
    outputs               (samples, output_bytes), each sample's first invoke; read-only
    identical             samples whose outputs equal the expected ones; None where nothing was expected
    warm_up, carried      invokes before the timed ones; samples that the image carried
    stack_used_bytes      watermark since the start, and what is set aside; None on a host, whose system owns the stack
    """

    link: str
    counter_alive: bool
    cycle_source: CycleKind
    clock_hz: int | None
    runs: int
    cycles: list[int] | None
    instructions: list[int] | None
    operator_cycles: list[int] | None
    outputs: Int8Array
    identical: int | None
    stack_used_bytes: int | None
    stack_reserved_bytes: int | None
    operator_instructions: list[int] | None = None
    warm_up: int = 0
    carried: int = 0

    def __str__(self) -> str:
        checked = "" if self.identical is None else f", {self.identical} of {len(self.outputs)} outputs identical"
        if self.cycles:
            spent = f"{int(np.median(self.cycles)):,} cycles ({self.cycle_source})"
        elif self.instructions:
            spent = f"{int(np.median(self.instructions)):,} instructions"
        else:
            spent = "no cycle counter"
        return f"{self.link}: {spent}, {self.runs} runs{checked}"


def measure(
    session: Session,
    samples: Int8Array,
    expected: Int8Array | None = None,
    *,
    runs: int = 1,
    warm_up: int = 0,
    carried: int = 0,
    progress: Progress | None = None,
) -> Measurement:
    """Invoke every sample once in their order, and go round again until there are `runs` invokes.

    samples   (n, input_bytes), n ≥ 1
    expected  (n, output_bytes)
    runs      ≥ 1; the first `runs` invokes are the timed ones. Run r takes sample r mod n
    warm_up   invokes of the first sample before, which count for nothing: they fill caches and prefetchers
    carried   how many of the samples, from the first on, the image carries, so that they need not be sent
    progress  called with (done, total) after each invoke

    The counter is tested first: where it stands still there are no cycles, and LinkError where it counts nonsense.
    Raises GoldenMismatchError iff a device answers the same sample differently from one invoke to the next;
    what differs from `expected` is only counted: see `first_difference`.
    """
    _check_shapes(session, samples, expected, runs)
    hello, link = session.hello, session.link
    alive = link.cycle_kind != "none" and check_counter(session, against_clock=link.cycle_kind == "measured")
    counting = link if isinstance(link, CountingLink) else None
    outputs = np.empty((len(samples), hello.output_bytes), dtype=np.int8)
    counted: list[int] = []
    instructions: list[int] = []
    total = max(len(samples), runs)
    for _ in range(warm_up):
        session.run(samples[0].tobytes(), _carried(0, carried))
    for run in range(total):
        index = run % len(samples)
        spent, output = _invoke(session, samples[index], _carried(index, carried))
        if run < runs and alive and spent is not None:
            counted.append(spent)
            # The reads of the cycle counter bracket a run, so that there are none without a counter.
            if counting is not None:
                instructions.append(counting.counters().last_run_instructions)
        if run < len(samples):
            outputs[index] = output
        else:
            _same_again(output, outputs[index])
        if progress is not None:
            progress(run + 1, total)
    per_operator = operator_instructions = None
    if counted:
        per_operator, profiled = session.profile(samples[0].tobytes())
        if counting is not None:
            operator_instructions = counting.counters().last_profile_instructions(len(per_operator))
        _same_again(np.frombuffer(profiled, dtype=np.int8), outputs[0])
    outputs.flags.writeable = False
    stack = session.read_stack()
    kind = link.cycle_kind if counted else "none"
    counts_instructions = kind == "instructions"
    return Measurement(
        link=link.name,
        counter_alive=alive,
        cycle_source="none" if kind == "instructions" else kind,
        clock_hz=hello.clock_hz or None,
        runs=runs,
        cycles=None if counts_instructions else counted or None,
        instructions=counted if counts_instructions else instructions or None,
        operator_cycles=None if counts_instructions else per_operator,
        outputs=outputs,
        identical=None if expected is None else int((outputs == expected).all(axis=1).sum()),
        stack_used_bytes=stack.used_bytes if stack.reserved_bytes else None,
        stack_reserved_bytes=stack.reserved_bytes or None,
        operator_instructions=per_operator if counts_instructions else operator_instructions,
        warm_up=warm_up,
        carried=min(carried, len(samples)),
    )


def _invoke(session: Session, sample: Int8Array, carried: int | None) -> tuple[int | None, Int8Array]:
    cycles, output = session.run(sample.tobytes(), carried)
    return cycles, np.frombuffer(output, dtype=np.int8)


def _carried(index: int, carried: int) -> int | None:
    return index if index < carried else None


def _same_again(output: Int8Array, before: Int8Array) -> None:
    if error := first_difference(output, before, "the same sample, invoked again"):
        raise error


def _check_shapes(session: Session, samples: Int8Array, expected: Int8Array | None, runs: int) -> None:
    hello = session.hello
    if samples.dtype != np.int8 or samples.ndim != 2 or samples.shape[1] != hello.input_bytes or len(samples) == 0:
        raise LinkError(
            f"samples are {samples.dtype} {samples.shape}; model '{hello.model}' takes int8 (n, {hello.input_bytes})"
        )
    if expected is not None and expected.shape != (len(samples), hello.output_bytes):
        raise LinkError(f"expected outputs are {expected.shape}, not {(len(samples), hello.output_bytes)}")
    if runs < 1:
        raise LinkError(f"{runs} runs; at least 1 is needed")
