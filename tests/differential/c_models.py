"""Generated models compiled into one program that runs them operator by operator.

The program (`tests/firmware/model_runner`) ends where an operator changes a byte of the arena that is neither its
output nor its scratch; the sanitizers guard what lies around the arena.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sq_micro.board import ArenaRoom, Space
from sq_micro.codegen.render import render_project
from sq_micro.ir.operators import Operator, Reshape
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.paths import project_files
from sq_micro.plan.arena import Span
from sq_micro.plan.patching import heads
from sq_micro.plan.plan import Plan, make_plan, plan_in_patches
from sq_micro.quant.graph import QuantGraph

FIRMWARE = project_files() / "firmware"
RUNNER = Path(__file__).parents[1] / "firmware" / "model_runner"
FLAGS = ["-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
FLAGS += ["-fsanitize=undefined,address", "-fno-sanitize-recover=all", f"-I{FIRMWARE}", f"-I{FIRMWARE / 'include'}"]
NO_SPAN = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Model:
    """A network under a name of its own, with its place in the runner's table."""

    index: int
    graph: QuantGraph
    plan: Plan

    @property
    def symbol(self) -> str:
        return f"sqm_{self.graph.topology.name}"

    @property
    def executed(self) -> tuple[Operator, ...]:
        return tuple(op for op in self.graph.topology.operators if not isinstance(op, Reshape))

    def _written_by(self, op: Operator) -> tuple[Span, list[Span]]:
        """What running an operator may change: its output, and other spans. The last one of a head runs all of it."""
        plan, head = self.plan, self.plan.head
        if plan.in_parts(op.name):
            return NO_SPAN, [NO_SPAN]
        names = (op.name,) if head is None or op.name != head.operators[-1] else head.operators
        outputs = {operator.name: operator.output for operator in self.executed}
        others = [plan.tensors[outputs[name]] for name in names if name != op.name]
        return plan.tensors[op.output], [*others, *(plan.scratch.get(name, NO_SPAN) for name in names)]

    def c_entry(self) -> str:
        """The model's row of the table, and the table of its operators before it."""
        topology, plan, symbol = self.graph.topology, self.plan, self.symbol
        steps = [self._written_by(op) for op in self.executed]
        rows = "".join(
            f"    {{{_c_span(output)}, {{{', '.join(map(_c_span, others))}}}}},\n" for output, others in steps
        )
        whole = [Span(0, plan.arena_bytes)]
        arrays = [Span(share.offset_bytes, share.size_bytes) for share in plan.shares] or whole
        functions = f"{symbol}_input, {symbol}_output, {symbol}_invoke, {symbol}_invoke_operator, {symbol}_arena_at"
        numbers = f"{len(arrays)}, {{{', '.join(map(_c_span, arrays))}}}, "
        sizes = [topology.elements(topology.input), topology.elements(topology.output), len(steps)]
        numbers += ", ".join(map(str, sizes))
        entry = f'#define ENTRY_{self.index} {{"{topology.name}", {functions}, {numbers}, {symbol}_steps}}'
        return f'#include "{symbol}.h"\nstatic const step {symbol}_steps[] = {{\n{rows}}};\n{entry}\n'


def _c_span(span: Span) -> str:
    return f"{{{span.offset_bytes}, {span.size_bytes}}}"


TABLE = """\
#include <stdint.h>

#define MOST_OTHERS 16
#define MOST_ARRAYS 4

typedef struct {
    int32_t offset;
    int32_t bytes;
} span;

typedef struct {
    span output;
    span others[MOST_OTHERS];
} step;

typedef struct {
    const char *name;
    int8_t *(*input)(void);
    const int8_t *(*output)(void);
    void (*invoke)(void);
    void (*invoke_operator)(int32_t index);
    const int8_t *(*arena_at)(int32_t offset);
    int32_t arrays;
    span array[MOST_ARRAYS];
    int32_t input_bytes;
    int32_t output_bytes;
    int32_t operators;
    const step *steps;
} model;

"""


def make_models(
    networks: Mapping[str, QuantGraph], arena_limit_bytes: int | None = None, small: Collection[str] = ()
) -> dict[str, Model]:
    """A model for each network, each under a name of its own; small kernels for the networks that are named."""
    named = {
        name: replace(graph, topology=replace(graph.topology, name=f"n{index}"))
        for index, (name, graph) in enumerate(networks.items())
    }
    return {
        name: Model(
            index,
            graph,
            make_plan(
                graph.topology,
                graph.bitwidths,
                arena_limit_bytes=arena_limit_bytes,
                sets={operator.name: "small" for operator in graph.topology.operators} if name in small else None,
            ),
        )
        for index, (name, graph) in enumerate(named.items())
    }


def make_patched_models(networks: Mapping[str, QuantGraph], seed: int) -> dict[str, Model]:
    """As `make_models`, but the first operators of each network run in patches, whether that saves memory or not."""
    chosen = random.Random(seed)
    models = {}
    for name, model in make_models(networks).items():
        topology, bitwidths = model.graph.topology, model.graph.bitwidths
        head = chosen.choice(list(heads(topology)))
        models[name] = replace(model, plan=plan_in_patches(head, topology, bitwidths, PORTABLE))
    return models


def make_divided_models(networks: Mapping[str, QuantGraph], regions: int) -> dict[str, Model]:
    """As `make_models`, but the arena is divided over regions, as small ones as are found to do."""
    return {name: replace(model, plan=_divided(model, regions)) for name, model in make_models(networks).items()}


def _divided(model: Model, regions: int) -> Plan:
    """No region holds the whole arena; the fewer bytes it has, the more it is divided."""
    whole = model.plan.arena_bytes
    for eighths in (4, 5, 6, 7):
        size = whole * eighths // 8 // 4 * 4
        spaces = tuple(Space(f"region{level}", size, level) for level in range(regions))
        room = ArenaRoom(whole - 1, spaces)
        plan = make_plan(model.graph.topology, model.graph.bitwidths, room=room)
        if len(plan.shares) > 1:
            return plan
    return model.plan


def build_runner(models: Mapping[str, Model], folder: Path) -> Path:
    """All models in one program; its first argument is a model's index."""
    sources: list[str] = [str(RUNNER / "main.c")]
    for model in models.values():
        for path, text in render_project(model.graph, model.plan).files.items():
            if path.parts[0] in ("include", "src"):
                (folder / path.name).write_text(text)
        sources += [str(folder / f"{model.symbol}{part}.c") for part in ("", "_weights")]
    entries = "".join(model.c_entry() for model in models.values())
    rows = "".join(f"    ENTRY_{model.index},\n" for model in models.values())
    largest = max(model.plan.arena_bytes for model in models.values())
    ending = f"\nstatic const model models[] = {{\n{rows}}};\n\n#define LARGEST_ARENA_BYTES {largest}\n"
    (folder / "models.h").write_text(TABLE + entries + ending)
    program = folder / "runner"
    done = subprocess.run(
        ["gcc", *FLAGS, f"-I{folder}", *sources, "-o", str(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return program
