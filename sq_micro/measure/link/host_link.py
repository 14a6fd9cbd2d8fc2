"""The firmware as a process of this machine."""

from __future__ import annotations

from pathlib import Path

from sq_micro.measure.link.base import CycleKind
from sq_micro.measure.link.child_process import ChildProcess
from sq_micro.measure.link.process_link import ProcessLink


class HostLink(ProcessLink):
    """Runs a `firmware` that was built for the host. It verifies; there are no cycles to speak of."""

    name = "host"
    cycle_kind: CycleKind = "none"

    def __init__(self, program: Path) -> None:
        super().__init__()
        self._program = program

    def _start(self) -> ChildProcess:
        return ChildProcess((str(self._program.resolve()),))
