"""`make bench-kernels`: instructions and modelled cycles of each layer on a Cortex-M4, beside other libraries'.

Ours are counted on the simulated NUCLEO-L4R5ZI, memory without wait states; the others' counts were taken under QEMU
and lie beside the checkout (`../shared/anchors`), with cycles by the same kind of model. What is not on this machine is
left out, by name. Outputs of every image are compared with the reference before anything is printed.

    python -m tests.bench.kernels               kernels.md and kernels.json in out/bench
    python -m tests.bench.kernels --readme      the same, and README's table of networks
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sq_micro.board import load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.frontend.keras_model import load_keras
from sq_micro.ir.bitwidths import Bitwidths
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Operator, Reshape, kind
from sq_micro.ir.topology import Topology, macs
from sq_micro.measure.harness import measure
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from sq_micro.passes import canonicalise
from sq_micro.plan.plan import make_plan
from sq_micro.quant.calibrate import observe
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import quantize
from sq_micro.quant.samples import load_samples
from sq_micro.reference.golden_vectors import make_golden_vectors, require_equal
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import build
from tests.bench import random_networks
from tests.bench.readme import replace_block

SHARED = Path(__file__).resolve().parents[3] / "shared"
ANCHORS = SHARED / "anchors" / "cmsis_tinyengine_cmix_tflm_instructions.json"
BOARD = "nucleo_l4r5zi"
WEIGHT_BITS = (8, 4, 2)
PEER = "tflm+cmsis-nn"  # the whole network of a peer; its layers are CMSIS-NN's
_SAMPLES = 2
_TRAINED = {"rn8": "resnet8_cifar10", "kws": "dscnn_kws"}
_TITLES = {
    "rn8": "ResNet8",
    "kws": "DS-CNN",
    "ad": "autoencoder 640-128x4-8-128x4-640",
    "vww": "MobileNetV1 0.25, 96x96x3",
}
_RANDOM = {"ad": random_networks.autoencoder, "vww": random_networks.mobilenet, "dw": random_networks.windows}


@dataclass(frozen=True)
class Count:
    """Executed instructions, and the cycles of the model."""

    instructions: int
    cycles: int


@dataclass(frozen=True)
class Layer:
    """peer: CMSIS-NN's int8 kernel on the same shape, where it was counted."""

    name: str
    macs: int
    ours: Count
    peer: Count | None


@dataclass(frozen=True)
class Run:
    """A network at a width of weights, by one compiler."""

    network: str
    bits: int
    compiler: str
    total: Count
    peer: Count | None
    code_bytes: int
    arena_bytes: int
    layers: tuple[Layer, ...]


def main() -> None:
    """Count what is there and write both files."""
    out = Path("out/bench")
    anchors = _anchors()
    with tempfile.TemporaryDirectory() as scratch:
        runs = [
            counted(network, folder, bits, compiler, anchors)
            for network, folder in _networks(Path(scratch))
            for bits in WEIGHT_BITS
            for compiler in _compilers()
        ]
    out.mkdir(parents=True, exist_ok=True)
    (out / "kernels.json").write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n", encoding="utf-8")
    text = markdown(runs)
    (out / "kernels.md").write_text(text, encoding="utf-8")
    print(text)
    if "--readme" in sys.argv:
        replace_block("kernels", networks_markdown(runs))


def counted(
    network: str, folder: Path, bits: int, compiler: CompilerChoice, anchors: dict[tuple[str, str], Count]
) -> Run:
    """Build one image, compare its outputs, count it."""
    graph = _quantized(folder, bits)
    board = load_board(BOARD)
    plan = make_plan(graph.topology, graph.bitwidths, board.core.isa)
    samples = load_samples(folder / "eval.npz", graph.input_shape).real(0, _SAMPLES)
    golden = make_golden_vectors(graph, graph.quantize_input(samples))
    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        render_project(graph, plan).write(at / "model")
        render_board(graph, plan, board).write(at / "board")
        request = BuildRequest(
            at / "model", at / "board", at / "build", board, find_compiler(board, compiler), plan.arena_bytes
        )
        image = build(request)
        with Session(SimulatorLink(image.elf, board.source_file), model_hash=graph.digest().hex()) as session:
            measured = measure(session, golden.inputs.reshape(_SAMPLES, -1))
            link = session.link
            assert isinstance(link, SimulatorLink)
            session.profile(golden.inputs[0].tobytes())
            reads = np.array(link.counters().reads)
    require_equal(network, measured.outputs, golden.outputs.reshape(_SAMPLES, -1))
    executed = [op for op in graph.topology.operators if not isinstance(op, Reshape)]
    spent = (reads[1::2] - reads[0::2])[-len(executed) :]
    assert measured.instructions
    assert measured.cycles
    layers = tuple(
        Layer(
            layer_name(op, graph.topology, network),
            macs(op, graph.topology),
            Count(int(instructions), int(cycles)),
            anchors.get(("cmsis-nn_s8", layer_name(op, graph.topology, network))),
        )
        for op, (instructions, cycles) in zip(executed, spent, strict=True)
    )
    total = Count(measured.instructions[0], measured.cycles[0])
    peer = anchors.get((PEER, f"{network}.MODEL"))
    return Run(network, bits, compiler, total, peer, image.footprint.code_bytes, plan.arena_bytes, layers)


def layer_name(operator: Operator, topology: Topology, network: str) -> str:
    """As the baselines call it, by its geometry."""
    if isinstance(operator, Dense):
        units, inputs = topology.shape(operator.weights)
        return f"{network}.fc_{inputs}-{units}"
    if not isinstance(operator, Conv2D | DepthwiseConv2D):
        return f"{network}.{kind(operator)}"
    _, height, width, depth = topology.shape(operator.weights)
    _, rows, columns, channels = topology.shape(operator.output)
    window = f"{height}x{width}" + (f"s{operator.stride[0]}" if operator.stride[0] > 1 else "")
    if isinstance(operator, DepthwiseConv2D):
        return f"{network}.dw_{window}_{channels}_{rows}x{columns}"
    if (height, width) == (1, 1) and operator.stride == (1, 1):
        return f"{network}.pw_{depth}-{channels}_{rows}x{columns}"
    first = "conv1" if network == "rn8" and depth == 3 else "conv"
    return f"{network}.{first}_{window}_{depth}-{channels}_{rows}x{columns}"


def markdown(runs: list[Run]) -> str:
    """One line a network and width, then the layers of each network by gcc."""
    eight = {(run.network, run.compiler): run.total for run in runs if run.bits == 8}
    lines = [
        f"Cortex-M4, instructions executed (exact) and cycles (modelled, no wait states); {PEER} int8 is the peer",
        "",
        "| network | weights | compiler | instructions | cycles | of our 8 bit | of the peer | code | arena |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for run in runs:
        own, peer = ratio(run.total, eight[run.network, run.compiler]), ratio(run.total, run.peer)
        lines.append(
            f"| {run.network} | {run.bits} bit | {run.compiler} | {run.total.instructions:,} | {run.total.cycles:,}"
            f" | {own} | {peer} | {run.code_bytes:,} B | {run.arena_bytes:,} B |"
        )
    for network in dict.fromkeys(run.network for run in runs):
        of_network = [run for run in runs if run.network == network and run.compiler == runs[0].compiler]
        head = " | ".join(f"{run.bits} bit: instr, cycles, MAC/cycle" for run in of_network)
        lines += ["", f"| layer | MACs | {head} | 8 bit of CMSIS-NN s8 |", "|---|--:|" + "--:|" * (len(of_network) + 1)]
        for index, layer in enumerate(of_network[0].layers):
            cells = " | ".join(_cell(run.layers[index]) for run in of_network)
            lines.append(f"| {layer.name} | {layer.macs:,} | {cells} | {ratio(layer.ours, layer.peer)} |")
    return "\n".join(lines) + "\n"


def networks_markdown(runs: list[Run]) -> str:
    """A line a network: what gcc's images of each width take, and the peer's int8."""
    lines = [f"| instructions, cycles (millions) | {PEER} int8 |" + "".join(f" {bits} bit |" for bits in WEIGHT_BITS)]
    lines.append("|---|" + "--:|" * (len(WEIGHT_BITS) + 1))
    for network, title in _TITLES.items():
        of_network = [run for run in runs if run.network == network and run.compiler == "gcc"]
        if of_network:
            cells = [_millions(of_network[0].peer)]
            cells += [f"{_millions(run.total)} ({ratio(run.total, run.peer)})" for run in of_network]
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _millions(count: Count | None) -> str:
    return "" if count is None else f"{count.instructions / 1e6:.2f}, {count.cycles / 1e6:.2f}"


def ratio(ours: Count, other: Count | None) -> str:
    """Instructions and cycles as shares of another's.

    >>> ratio(Count(50, 60), Count(100, 100)), ratio(Count(50, 60), None)
    ('0.50x, 0.60x', '')
    """
    if other is None:
        return ""
    return f"{ours.instructions / other.instructions:.2f}x, {ours.cycles / other.cycles:.2f}x"


def _cell(layer: Layer) -> str:
    rate = f", {layer.macs / layer.ours.cycles:.2f}" if layer.macs else ""
    return f"{layer.ours.instructions:,}, {layer.ours.cycles:,}{rate}"


def _compilers() -> tuple[CompilerChoice, ...]:
    return ("gcc", "zig")


def _networks(scratch: Path) -> Iterator[tuple[str, Path]]:
    for network, name in _TRAINED.items():
        folder = SHARED / "data" / name
        if folder.is_dir():
            yield network, folder
        else:
            print(f"{name}: not on this machine, left out")
    for network, make in _RANDOM.items():
        yield network, random_networks.write(make(), scratch / network)


def _quantized(folder: Path, bits: int) -> QuantGraph:
    graph = canonicalise(load_keras(folder / "model.keras"))
    ranges = observe(graph, load_samples(folder / "calib.npz", graph.input_shape))
    return quantize(graph, ranges, Bitwidths({op.name: bits for op in graph.topology.weighted()}))


def _anchors() -> dict[tuple[str, str], Count]:
    if not ANCHORS.is_file():
        print("no baselines on this machine: ratios are left out")
        return {}
    rows = json.loads(ANCHORS.read_text(encoding="utf-8"))
    return {
        (row["library"], row["layer"]): Count(row["instructions"], row["cycles_est"])
        for row in rows
        if row["core"] == "cortex-m4" and row["opt"] != "-O2" and row["cycles_est"]
    }


if __name__ == "__main__":
    main()
