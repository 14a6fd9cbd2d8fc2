"""What is supported, read off the code: `python -m tests.bench.operators --docs` writes docs/supported-operators.md.

Layers and TFLite operators come from the tables of handlers, and what each handler refuses from its calls of `require`;
kernels come from generating code for a network of one operator, at every width and for every ISA.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import string
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, get_args

from sq_micro.board import board_ids, load_board
from sq_micro.codegen.model_view import make_model_view
from sq_micro.frontend.keras_layers import LAYERS, OPERATIONS
from sq_micro.frontend.layer_call import LayerCall
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.operators import Operator, kind
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.dsp import DSP
from sq_micro.paths import project_files
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.tflite.importing import load
from sq_micro.tflite.importing.call import Call
from sq_micro.tflite.lower import lower
from tests.architecture.test_operator_coverage import BEFORE_CANONICALISATION, NETWORKS, OPERATORS
from tests.bench.readme import replace_block
from tests.models.random_quant_graph import RandomQuantGraph

DOCUMENT = project_files() / "docs" / "supported-operators.md"
COMMAND = "python -m tests.bench.operators --docs"
_KINDS = {operator.__name__: operator for operator in get_args(Operator)}
_WEIGHTED: dict[str, Callable[[RandomQuantGraph, int], str]] = {
    "conv2d": lambda b, bits: b.conv2d(b.input, 8, bits=bits),
    "depthwise_conv2d, window 3×3": lambda b, bits: b.depthwise_conv2d(b.input, bits=bits),
    "depthwise_conv2d, other windows": lambda b, bits: b.depthwise_conv2d(b.input, (2, 2), bits=bits),
    "dense": lambda b, bits: b.dense(b.reshape(b.input, (128,)), 8, bits=bits),
}
_ISAS = (PORTABLE, DSP)
_SHARED = 4  # rows that refuse the same, from which on it stands below the table


@dataclass
class Handled:
    """What a handler and the functions that it calls add to the graph, and what they refuse."""

    kinds: set[str] = field(default_factory=set)
    refusals: dict[str, None] = field(default_factory=dict)


def handled(handler: Callable[..., Any], package: str, methods: type) -> Handled:
    """Follow a handler through functions of its package, and through methods of the call that it is given."""
    found, pending, seen = Handled(), [handler], set()
    while pending:
        function = pending.pop(0)
        if function in seen or not isinstance(function, FunctionType):
            continue
        seen.add(function)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        assert isinstance(tree, ast.FunctionDef)
        nodes = [node for statement in tree.body for node in ast.walk(statement)]
        known_texts = {**function.__globals__, **_words_of_loops(nodes)}
        for node in nodes:
            match node:
                case ast.Name(id=name) if name in _KINDS and function.__globals__.get(name) is _KINDS[name]:
                    found.kinds.add(name)
                case ast.Name(id=name) if callable(called := function.__globals__.get(name)):
                    if getattr(called, "__module__", "").startswith(package):
                        pending.append(called)
                case ast.Call(func=ast.Attribute(attr="require"), args=[_, refused, supported]):
                    found.refusals[_refusal(refused, supported, known_texts)] = None
                case ast.Call(func=ast.Attribute(attr="unsupported" | "fail"), args=[refused, supported]):
                    found.refusals[_refusal(refused, supported, known_texts)] = None
                case ast.Attribute(value=ast.Name(id="call"), attr=name):
                    member = inspect.getattr_static(methods, name, None)
                    pending.append(member.fget if isinstance(member, property) else member)  # type: ignore[arg-type]
    return found


def _words_of_loops(nodes: list[ast.AST]) -> dict[str, str]:
    """Names that a loop gives to words: `for word in ("a", "b")` is read as `a or b`."""
    return {
        node.target.id: " or ".join(str(word.value) for word in node.iter.elts if isinstance(word, ast.Constant))
        for node in nodes
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and isinstance(node.iter, ast.Tuple)
    }


def _refusal(refused: ast.expr, supported: ast.expr, known: Mapping[str, Any]) -> str:
    return f"{_text(refused, known)} (takes {_text(supported, known)})"


def _said(refusals: Iterable[str]) -> list[str]:
    """Without those of helpers that hand on what they were given: they name nothing."""
    return [refusal for refusal in refusals if not refusal.endswith("(takes …)")]


def _text(expression: ast.expr, known: Mapping[str, Any]) -> str:
    """A text as it is printed, with … for what is known at run time only."""
    match expression:
        case ast.Constant(value=value):
            return str(value)
        case ast.Name(id=name):
            value = known.get(name)
            return str(value) if isinstance(value, str | int) else "…"
        case ast.FormattedValue(value=value):
            return _text(value, known)
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, known) for part in parts)
        case _:
            return "…"


def keras_table() -> str:
    """Layers that share a handler share a row."""
    found = {}
    for handler in dict.fromkeys((*LAYERS.values(), *OPERATIONS.values())):
        names = [f"`{name}`" for name, of in LAYERS.items() if of is handler]
        names += [f"`keras.ops`: {name}" for name, of in OPERATIONS.items() if of is handler]
        found[", ".join(names)] = handled(handler, "sq_micro.frontend.", LayerCall)
    return _handler_table("Keras layer", found)


def tflite_table() -> str:
    """The same of operators of a .tflite file."""
    found = {}
    for handler in dict.fromkeys(load.HANDLERS.values()):
        names = [f"`{name}`" for name, of in load.HANDLERS.items() if of is handler]
        found[", ".join(names)] = handled(handler, "sq_micro.tflite.importing.", Call)
    return _handler_table("TFLite operator", found)


def _handler_table(title: str, rows: dict[str, Handled]) -> str:
    """What many rows refuse alike stands once, under a letter."""
    counts = Counter(refusal for row in rows.values() for refusal in _said(row.refusals))
    shared = [refusal for refusal, count in counts.most_common() if count >= _SHARED]
    letters = dict(zip(shared, string.ascii_lowercase, strict=False))
    lines = [f"| {title} | becomes | refuses |", "|---|---|---|"]
    for names, row in rows.items():
        kinds = [_kind_of(operator) for operator in OPERATORS if operator.__name__ in row.kinds]
        own = [refusal for refusal in _said(row.refusals) if refusal not in letters]
        own += [" ".join(f"({letters[refusal]})" for refusal in shared if refusal in row.refusals)]
        becomes = ", ".join(kinds) or "nothing: the graph's ends are int8"
        lines.append(f"| {names} | {becomes} | {'; '.join(filter(None, own)) or 'nothing'} |")
    return "\n".join([*lines, "", *(f"* ({letter}) {refusal}" for refusal, letter in letters.items())])


def operator_table() -> str:
    """Each operator that is executed: what it is in TFLite, its widths, and the loop nests of each ISA."""
    rows = [
        "| operator | in TFLite | weight bits | loop nest, any core | loop nest, DSP cores |",
        "|---|---|---|---|---|",
    ]
    for operator in OPERATORS:
        if operator in BEFORE_CANONICALISATION:
            continue
        builder = RandomQuantGraph(seed=5, shape=(4, 4, 8))
        graph = builder.build(NETWORKS[operator](builder))
        codes = [operation.code for operation in lower(graph).operations]
        bits = ", ".join(map(str, sorted(WEIGHT_BITS, reverse=True))) if graph.bitwidths.weights else ""
        portable, own = (_nest(graph, isa) for isa in _ISAS)
        shown = "none: costs nothing" if portable is None else f"`{portable}`"
        rows.append(f"| {_kind_of(operator)} | {codes[-1]} | {bits} | {shown} | {_own_nest(portable, own)} |")
    return "\n".join(rows)


def kernel_table() -> str:
    """The microkernel that weights of each width are read by."""
    widths = sorted(WEIGHT_BITS, reverse=True)
    rows = [f"| operator | core | {' | '.join(f'{bits} bits' for bits in widths)} |", "|---" * (len(widths) + 2) + "|"]
    for name, build in _WEIGHTED.items():
        for isa, cores in zip(_ISAS, ("any", "with DSP instructions"), strict=True):
            names = []
            for bits in widths:
                builder = RandomQuantGraph(seed=5, shape=(4, 4, 8))
                graph = builder.build(build(builder, bits))
                choice = make_plan(graph.topology, graph.bitwidths, isa).choices[graph.topology.operators[-1].name]
                assert choice.variant is not None
                names.append(f"`{choice.variant.microkernel} {choice.variant.tile} {choice.variant.isa}`")
            rows.append(f"| {name} | {cores} | {' | '.join(names)} |")
    return "\n".join(rows)


def isa_table() -> str:
    """Boards by the ISA that their files name."""
    boards = [load_board(board) for board in board_ids()]
    rows = ["| `isa` in the board file | kernels | boards |", "|---|---|---|"]
    for isa in sorted({board.core.isa for board in boards}):
        own = "DSP cores" if isa == DSP else "any core"
        rows.append(f"| `{isa}` | {own} | {', '.join(f'`{b.id}`' for b in boards if b.core.isa == isa)} |")
    return "\n".join(rows)


def _nest(graph: QuantGraph, isa: str) -> str | None:
    """The loop nest of the last operator; None where nothing is executed."""
    view = make_model_view(graph, make_plan(graph.topology, graph.bitwidths, isa))
    return view.operators[-1].nest if view.operators else None


def _own_nest(portable: str | None, own: str | None) -> str:
    """A DSP core's nest; where this network was not served by one, that there is one for others."""
    if own != portable:
        return f"`{own}`"
    name = f"{portable}__{DSP}"
    headers = (project_files() / "firmware" / "kernels" / DSP).glob("*.h")
    known = any(f"void sqm_{name}(" in header.read_text(encoding="utf-8") for header in headers)
    return f"`{name}`" if known else "the same"


def _kind_of(operator: type[Operator]) -> str:
    return kind(operator.__new__(operator))


def blocks() -> Iterator[tuple[str, str]]:
    """(name of the block, what it holds) of everything in the document that is generated."""
    yield "keras", keras_table()
    yield "tflite", tflite_table()
    yield "operators", operator_table()
    yield "kernels", kernel_table()
    yield "isas", isa_table()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", action="store_true", help=f"write the tables to {DOCUMENT.name}")
    write = parser.parse_args().docs
    for name, text in blocks():
        if write:
            replace_block(name, text, DOCUMENT)
        print(text, end="\n\n")


if __name__ == "__main__":
    main()
