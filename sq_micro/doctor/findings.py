"""What was looked for, and what was found."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


class Finding(BaseModel):
    """One thing that may be there.

    version   what was found of it; None iff it is not there, or of no use as it is
    required  `deploy` over the board's first link cannot do without
    remedy    the command that installs it, or what to do
    """

    model_config = ConfigDict(frozen=True)

    name: str
    purpose: str
    version: str | None
    required: bool
    remedy: str


class Findings(BaseModel):
    """ready: everything required is there. board: None where no one board was asked for."""

    model_config = ConfigDict(frozen=True)

    board: str | None = None
    ready: bool
    findings: list[Finding]

    @classmethod
    def of(cls, findings: list[Finding], board: str | None = None) -> Findings:
        """Judge what was found."""
        ready = all(finding.version is not None for finding in findings if finding.required)
        return cls(board=board, ready=ready, findings=findings)


def print_findings(findings: Findings) -> None:
    """A table, what to do about each thing that is not there, then one line that says whether `deploy` will work."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("", "what", "found", "for"):
        table.add_column(column)
    for finding in findings.findings:
        absent = "[red]missing[/]" if finding.required else "[yellow]absent[/]"
        mark = absent if finding.version is None else "[green]ok[/]"
        table.add_row(mark, *map(escape, (finding.name, finding.version or "", finding.purpose)))
    Console().print(table)
    # Commands are to be copied, so they are not folded into a column.
    for finding in findings.findings:
        if finding.version is None:
            print(f"{finding.name}: {finding.remedy}")
    where = f" to {findings.board}" if findings.board else ""
    print(f"ready to deploy{where}" if findings.ready else "not ready: install what is marked as missing")
