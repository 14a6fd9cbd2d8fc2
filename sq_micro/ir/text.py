"""A graph as a table that a person can read; the artefacts 01_imported.txt and 02_canonical.txt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from sq_micro.ir.operators import Operator, kind, operator_constants, operator_inputs
from sq_micro.ir.topology import Topology, macs, total_macs

_SHOWN_ELSEWHERE = {"name", "input", "inputs", "left", "right", "output", "weights", "bias", "scale", "offset"}


def topology_text(topology: Topology) -> str:
    """One line an operator: inputs, output with its shape, geometry, multiply-accumulates."""
    source = topology.tensors[topology.input]
    rows = [("#", "operator", "kind", "reads", "output", "weights", "geometry", "MACs")]
    for index, operator in enumerate(topology.operators):
        weights = [topology.shape(name) for name in operator_constants(operator)[:1]]
        work = macs(operator, topology)
        rows.append(
            (
                str(index),
                operator.name,
                kind(operator),
                ", ".join(operator_inputs(operator)),
                _shape(topology.shape(operator.output)[1:]),
                _shape(weights[0]) if weights else "",
                geometry_text(operator),
                f"{work:,}" if work else "",
            )
        )
    total = total_macs(topology)
    head = f"{topology.name}: input {source.name} {_shape(source.shape[1:])}, {total:,} MACs"
    return head + "\n" + columns(rows)


def geometry_text(operator: Operator) -> str:
    """Everything of an operator that is not a tensor and not at its default.

    >>> from sq_micro.ir.operators import MaxPool2D
    >>> geometry_text(MaxPool2D("p", "x", "y", window=(2, 2), stride=(2, 2)))
    'window 2x2, stride 2x2'
    """
    parts = []
    for field in fields(operator):
        if field.name in _SHOWN_ELSEWHERE:
            continue
        value = getattr(operator, field.name)
        if value != field.default:
            text = _shape(value) if isinstance(value, tuple) else str(value)
            parts.append(f"{field.name} {text}")
    return ", ".join(parts)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length as left-aligned columns.

    >>> print(columns([("a", "bc"), ("def", "g")]), end="")
    a   bc
    def g
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
