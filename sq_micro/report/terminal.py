"""A result as tables in the terminal, and as one line."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sq_micro.report.result import MeasurementRecord, ModelRecord, Result
from sq_micro.report.wording import activations_at_rest, kernels_taken


def one_line(result: Result) -> str:
    """What the person got, in one sentence."""
    parts = []
    if result.accuracy:
        what = "top-1" if result.accuracy.metric == "top1" else "accuracy"
        parts.append(f"{result.accuracy.quantized:.2%} {what} (float {result.accuracy.float_:.2%})")
    parts.append(f"{_kib(result.memory.flash_bytes.total)} flash, {_kib(result.memory.sram_bytes.total)} SRAM")
    measured = result.measurement
    if measured.latency_s is not None:
        parts.append(f"{measured.latency_s * 1e3:.2f} ms {measured.cycle_source}")
    checked = result.verification
    agreement = "identical to" if checked.identical == checked.samples else "DIFFERENT from"
    parts.append(f"outputs {agreement} {checked.oracle} on {checked.identical} of {checked.samples} samples")
    return f"{result.model.name} on {result.board.id}: " + "; ".join(parts)


def print_result(result: Result, console: Console) -> None:
    """What ran, the operators, the memory, and the sentence of `one_line`."""
    console.print(_run(result))
    console.print(_operators(result))
    console.print(_memory(result))
    console.print(one_line(result), highlight=False, markup=False, style="bold", soft_wrap=True)


def _table(title: str) -> Table:
    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=0)


def _macs(model: ModelRecord) -> str:
    executed = "" if model.executed_macs == model.macs else f", {model.executed_macs:,} of them executed"
    return f"{model.macs:,} MACs{executed}"


def _run(result: Result) -> Table:
    table = _table("run")
    table.add_column("")
    table.add_column("")
    table.show_header = False
    model, board, measured = result.model, result.board, result.measurement
    table.add_row("model", Text(f"{model.name}, {model.parameters:,} parameters, {_macs(model)}"))
    clock = f"{board.clock_hz / 1e6:g} MHz" if board.clock_hz else "unknown clock"
    table.add_row("board", Text(f"{board.title}, {board.core} at {clock}, {result.build.compiler}"))
    if result.accuracy is not None:
        accuracy = result.accuracy
        figures = f"{accuracy.quantized:.2%} quantized, {accuracy.float_:.2%} float"
        table.add_row("accuracy", f"{figures} ({accuracy.metric}, {accuracy.samples:,} samples)")
    if measured.cycles is not None:
        cycles = measured.cycles
        spread = "" if cycles.min == cycles.max else f" ({cycles.min:,} to {cycles.max:,}, 95 % to {cycles.p95:,})"
        runs = f"median of {measured.runs:,} runs, {measured.cycle_source}"
        table.add_row("cycles", f"{cycles.median:,}{spread}, {runs}")
    if measured.latency_s is not None:
        table.add_row("latency", f"{measured.latency_s * 1e3:,.2f} ms {measured.cycle_source}")
    if measured.energy_j is not None:
        table.add_row(
            "energy", f"{measured.energy_j * 1e3:,.2f} mJ modelled (latency times the board's published power)"
        )
    if measured.instructions is not None:
        table.add_row("instructions", f"{measured.instructions:,} executed (simulated)")
    if measured.modelled is not None:
        modelled = measured.modelled
        latency = f", {modelled.latency_s * 1e3:,.2f} ms" if modelled.latency_s is not None else ""
        counted = f"{modelled.instructions:,} instructions counted by {modelled.by}"
        table.add_row("modelled", f"{modelled.cycles:,} cycles{latency} (cycle model, {counted})")
    if measured.accuracy is not None:
        found = measured.accuracy
        interval = f"{found.confidence:.0%} interval {found.low:.2%} to {found.high:.2%}"
        seen = f"{found.samples:,} of {found.available:,} samples"
        table.add_row("on device", f"{found.accuracy:.2%} {found.metric}, {interval}, {seen}")
    for note in measured.notes:
        table.add_row("note", Text(note))
    if narrow := activations_at_rest(result):
        table.add_row("activations", Text(narrow))
    if result.assignment is not None:
        table.add_row("bits", f"chosen by {result.assignment.allocator}: {result.assignment.reason}")
        table.add_row("budget", ", ".join(_budget(result)))
    if kernels := kernels_taken(result):
        table.add_row("kernels", Text("; ".join(kernels)))
    checked = result.verification
    table.add_row("verified", f"{checked.identical} of {checked.samples} samples identical to {checked.oracle}")
    return table


def _budget(result: Result) -> list[str]:
    """What was allowed, with what the image takes of it."""
    assert result.assignment is not None
    budget, memory, measured = result.assignment.budget, result.memory, result.measurement
    shown = []
    if budget.flash_bytes is not None:
        shown.append(f"flash {memory.flash_bytes.total:,} of {budget.flash_bytes:,.0f} B")
    if budget.sram_bytes is not None:
        shown.append(f"SRAM {memory.sram_bytes.total:,} of {budget.sram_bytes:,.0f} B")
    if budget.weight_bytes is not None:
        shown.append(f"weights {memory.flash_bytes.weights:,} of {budget.weight_bytes:,.0f} B")
    if budget.latency_s is not None and measured.latency_s is not None:
        shown.append(f"latency {measured.latency_s * 1e3:,.2f} of {budget.latency_s * 1e3:,.2f} ms")
    if budget.energy_j is not None and measured.energy_j is not None:
        shown.append(f"energy {measured.energy_j * 1e3:,.2f} of {budget.energy_j * 1e3:,.2f} mJ")
    if budget.max_drop_points is not None and result.accuracy is not None:
        drop = 100 * (result.accuracy.float_ - result.accuracy.quantized)
        shown.append(f"drop {drop:.2f} of {budget.max_drop_points:g} points")
    return shown


def _operators(result: Result) -> Table:
    measured = result.measurement
    what, figures = _profile(measured)
    source = measured.cycle_source if what == "cycles" else "simulated"
    table = _table(f"operators (link {measured.link}, {what} {source})")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("operator", overflow="ellipsis")
    table.add_column("kind", no_wrap=True)
    for column in ("bits", "MACs", what, "share", f"MAC/{what.removesuffix('s')}"):
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    total = sum(figure or 0 for figure in figures)
    for operator, figure in zip(measured.operators, figures, strict=True):
        known = figure is not None and total > 0
        table.add_row(
            str(operator.index),
            Text(operator.name),  # a name may hold what rich takes for markup
            operator.kind,
            str(operator.weight_bits or ""),
            f"{operator.macs:,}" if operator.macs else "",
            f"{figure:,}" if known else "",
            f"{(figure or 0) / total:.1%}" if known else "",
            f"{operator.macs / figure:.2f}" if figure and operator.macs else "",
        )
    return table


def _profile(measured: MeasurementRecord) -> tuple[str, list[int | None]]:
    """What was counted operator by operator: cycles, or instructions where the link has no cycles."""
    cycles = [operator.cycles for operator in measured.operators]
    instructions = [operator.instructions for operator in measured.operators]
    if all(count is None for count in cycles) and any(count is not None for count in instructions):
        return "instructions", instructions
    return "cycles", cycles


def _memory(result: Result) -> Table:
    flash, sram = result.memory.flash_bytes, result.memory.sram_bytes
    table = _table("memory (linked image)")
    table.add_column("")
    table.add_column("bytes", justify="right")
    table.add_column("of which")
    table.add_row(
        "flash", f"{flash.total:,}", f"weights {flash.weights:,}, code {flash.code:,}, tables {flash.tables:,}"
    )
    stack = f"stack {sram.stack:,}"
    if result.memory.worst_case_stack_bytes is not None:
        stack += f" (worst case {result.memory.worst_case_stack_bytes:,}"
        if result.memory.measured_stack_bytes is not None:
            stack += f", seen {result.memory.measured_stack_bytes:,}"
        stack += ")"
    least = result.memory.arena_lower_bound_bytes
    arena = f"arena {sram.arena:,} " + ("(the least possible)" if result.memory.optimal else f"(at least {least:,})")
    table.add_row("SRAM", f"{sram.total:,}", f"{arena}, {stack}, static {sram.static:,}")
    shares = {} if result.memory.plan is None else result.memory.plan.share_bytes
    for region in result.memory.regions if len(result.memory.regions) > 1 else ():
        share = shares.get(region.name)
        held = "" if share is None else f", arena {share:,}"
        table.add_row(f"in {region.name}", f"{region.used_bytes:,}", f"of {region.size_bytes:,}{held}")
    return table


def _kib(size: int) -> str:
    return f"{size / 1024:.1f} KiB"
