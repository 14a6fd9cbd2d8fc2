"""Where every figure comes from, and what the run was made of."""

from __future__ import annotations

from sq_micro.cost.figure import amount
from sq_micro.report.html.views import FactView
from sq_micro.report.result import Result
from sq_micro.report.wording import cycle_model_limits, cycles_provenance

_CYCLES = {
    "modelled": "modelled: the image's instructions, each at its documented cost",
    "measured": "measured on silicon by the core's cycle counter",
}


def figures(result: Result) -> tuple[FactView, ...]:
    """One line for each kind of figure that the page has."""
    memory, measured = result.memory, result.measurement
    found = [
        FactView("flash", f"{memory.flash_bytes.total:,} B", "exact: sections and symbols of the linked image"),
        FactView("SRAM", f"{memory.sram_bytes.total:,} B", "exact: the linked image, stack as set aside"),
        FactView(
            "arena", f"{memory.sram_bytes.arena:,} B", f"exact: planned, asserted by the compiler; {_proof(result)}"
        ),
    ]
    shares = {} if memory.plan is None else memory.plan.share_bytes
    for region in memory.regions if len(memory.regions) > 1 else ():
        share = shares.get(region.name)
        held = "" if share is None else f", {share:,} B of it arena"
        how = f"exact: addresses in the linked image; of {region.size_bytes:,} B{held}"
        found.append(FactView(f"SRAM in {region.name}", f"{region.used_bytes:,} B", how))
    if memory.worst_case_stack_bytes is not None:
        how = "exact: deepest call path of the machine code"
        found.append(FactView("worst-case stack", f"{memory.worst_case_stack_bytes:,} B", how))
    if memory.measured_stack_bytes is not None:
        how = f"{'measured' if measured.link == 'serial' else 'simulated'}: painted stack, deepest mark"
        found.append(FactView("stack seen", f"{memory.measured_stack_bytes:,} B", how))
    source = cycles_provenance(result)
    if measured.cycles is not None and source is not None:
        how = f"{_CYCLES[source]}; median of {measured.runs:,} runs, 95 % take at most {measured.cycles.p95:,}"
        found.append(FactView("cycles", f"{measured.cycles.median:,}", how))
    if (modelled := measured.modelled) is not None:
        how = f"{_CYCLES['modelled']}; basic blocks counted by {modelled.by}"
        found.append(FactView("cycles of the model", f"{modelled.cycles:,}", how))
    if (limits := cycle_model_limits(result)) is not None:
        found.append(FactView("cycle model", limits.trust, f"modelled: {limits.table}. {limits.text}"))
    if measured.latency_s is not None and result.board.clock_hz:
        how = f"{source}: cycles at {result.board.clock_hz / 1e6:g} MHz"
        found.append(FactView("latency", amount(measured.latency_s, "s"), how))
    if measured.energy_j is not None:
        how = "modelled: latency times the board's published power"
        found.append(FactView("energy", amount(measured.energy_j, "J"), how))
    if measured.instructions is not None:
        found.append(FactView("instructions", f"{measured.instructions:,}", "simulated: executed by the emulator"))
    if result.accuracy is not None:
        how = f"exact: the firmware's arithmetic over {result.accuracy.samples:,} labelled samples"
        found.append(FactView("accuracy", f"{result.accuracy.quantized:.2%}", how))
    if (counted := measured.accuracy) is not None:
        kind = "measured" if measured.link == "serial" else "simulated"
        how = (
            f"{kind}: counted on the device over {counted.samples:,} of {counted.available:,} samples;"
            f" {counted.low:.2%} to {counted.high:.2%} at {counted.confidence:.0%} confidence"
        )
        found.append(FactView("accuracy on the device", f"{counted.accuracy:.2%}", how))
    if result.fidelity:
        how = "exact: integers against float32, on the golden samples"
        found.append(FactView("SQNR, cosine", "by operator", how))
    if result.operators:
        how = "exact: trained weights, batch normalisation folded in; histogram of 2,048 bins"
        found.append(FactView("sigma, KL", "by operator", how))
    if result.assignment is not None:
        samples = result.quantization.calibration_samples
        how = f"measured on {samples:,} calibration samples, without labels, one operator narrowed at a time"
        found.append(FactView("damage, divergence", "by operator and width", how))
        how = "exact bytes and modelled cycles of one image per width; totals of other plans are sums of them"
        found.append(FactView("other widths", "by operator and width", how))
    return tuple(found)


def _proof(result: Result) -> str:
    """How far the arena is from the smallest that these kernels allow."""
    memory = result.memory
    if memory.optimal:
        return "no smaller one exists for these kernels"
    return f"none below {memory.arena_lower_bound_bytes:,} B exists for these kernels"


def run_facts(result: Result) -> tuple[FactView, ...]:
    """Model, board, compiler and settings."""
    model, quantization = result.model, result.quantization
    shape = "×".join(map(str, model.input_shape))
    clock = f" at {result.board.clock_hz / 1e6:g} MHz" if result.board.clock_hz else ""
    found = [
        FactView("model", f"{model.name}: {model.parameters:,} parameters, {model.macs:,} MACs, input {shape}", ""),
        FactView("board", f"{result.board.title}, {result.board.core}{clock}", ""),
        FactView("compiler", result.build.compiler, ""),
        FactView("link", " ".join([result.measurement.link, *(f"({note})" for note in result.measurement.notes)]), ""),
        FactView("calibration", f"{quantization.calibration_samples:,} samples, observer {quantization.observer}", ""),
        FactView("rounding", quantization.rounding, ""),
    ]
    if (trained := quantization.finetuning) is not None:
        labels = "with" if trained.labelled else "without"
        text = f"{trained.epochs} epochs on {trained.samples:,} samples, {labels} labels, seed {trained.seed}"
        found.append(FactView("fine-tuning", text, ""))
    found += [
        FactView("model file", f"SHA-256 {model.sha256}", ""),
        FactView("quantized model", f"hash {model.model_hash}", ""),
        FactView("sq-micro", f"{result.tool.version}, result schema {result.schema_version}", ""),
    ]
    return tuple(found)
