"""Firmware against reference, operator by operator: the first value that differs, on every sample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sq_micro.errors import GoldenMismatchError, UsageError
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.locate import locate
from sq_micro.measure.session import Session
from sq_micro.quant.samples import load_samples
from sq_micro.report.record import Count, Record
from sq_micro.stages.generate import generated, planned_of
from sq_micro.stages.measure import SERIAL_TIMEOUT_S, SESSION_TIMEOUT_S
from sq_micro.stages.measurement_record import executed_operators
from sq_micro.stages.progress import Notify, silent
from sq_micro.stages.quantize import executed_graph
from sq_micro.stages.records import QuantizeRecord, load_record
from sq_micro.stages.stepping import expected_steps
from sq_micro.workspace import Stage, Workspace


@dataclass(frozen=True, slots=True)
class FirmwareDiffRequest:
    """file, samples: at most so many of the file's first ones. link, port, renode: as of `MeasureOptions`."""

    file: Path
    samples: int = 1
    link: str | None = None
    port: str | None = None
    renode: str | None = None


class FirmwareDifference(Record):
    """Where a sample first differs: an operator, the flat index in its output, and how many of its values do."""

    sample: Count
    operator: str
    index: Count
    got: int
    expected: int
    differing: Count


class FirmwareDiff(Record):
    """operators: compared on each sample. differences: one for each sample that has any."""

    model: str
    link: str
    samples: Count
    operators: Count
    differences: list[FirmwareDifference]

    def __str__(self) -> str:
        compared = f"{self.samples} samples, {self.operators} operators each, on link {self.link}"
        if not self.differences:
            return f"{compared}: every output byte is the reference's"
        lines = [
            f"sample {found.sample}: first difference at operator '{found.operator}', index {found.index}:"
            f" got {found.got}, expected {found.expected} ({found.differing} of its values differ)"
            for found in self.differences
        ]
        return "\n".join([*lines, f"{compared}: {len(self.differences)} samples differ"])


def diff_firmware(workspace: Workspace, request: FirmwareDiffRequest, notify: Notify = silent) -> FirmwareDiff:
    """Step through the model on the device, and hold what each operator leaves against the reference.

    Raises UsageError iff stages are missing or the link is none of the board's, LinkError iff nobody answers there.
    """
    if request.samples < 1:
        raise UsageError(f"--samples {request.samples}: at least 1 is needed")
    board, graph, plan = generated(workspace).board, executed_graph(workspace), planned_of(workspace)
    elf = workspace.need(Stage.BUILD, "firmware.elf").resolve()
    samples = load_samples(request.file, graph.input_shape).first(request.samples)
    inputs = graph.quantize_input(samples.real(0, len(samples)))
    name = request.link or ("serial" if request.port is not None else board.links[0])
    link = make_link(name, elf, board, port=request.port, renode=request.renode, folder=workspace / "renode")
    timeout_s = SERIAL_TIMEOUT_S if name == "serial" else SESSION_TIMEOUT_S
    differences = []
    with Session(link, model_hash=load_record(workspace, QuantizeRecord).model_hash, timeout_s=timeout_s) as session:
        for sample in range(len(inputs)):
            codes = inputs[sample : sample + 1]
            if located := locate(session, codes.tobytes(), expected_steps(graph, plan, codes)):
                differences.append(_difference(sample, located))
            notify(f"diff ({name})", sample + 1, len(inputs))
    return FirmwareDiff(
        model=graph.topology.name,
        link=name,
        samples=len(inputs),
        operators=sum(not plan.in_parts(operator.name) for operator in executed_operators(graph.topology)),
        differences=differences,
    )


def _difference(sample: int, located: GoldenMismatchError) -> FirmwareDifference:
    return FirmwareDifference(
        sample=sample,
        operator=located.operator,
        index=located.index,
        got=located.got,
        expected=located.expected,
        differing=located.differing_count,
    )
