"""bits.json: a bitwidth per operator by name, with a default. `{"default": 8, "operators": {"conv2d_1": 4}}`

`"activations": {"conv2d_1": 4}` gives an operator's output 4 bits at rest, `"activations": 4` all that can have them.
`"kernels": {"conv2d_1": "small"}` may stand beside it, see `ir.kernel_set`; what is not named takes the fastest.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sq_micro.errors import PlanFileError, UsageError
from sq_micro.ir.bitwidths import ACTIVATION_BITS, WEIGHT_BITS, Bitwidths
from sq_micro.ir.kernel_set import KERNEL_SETS, KernelSet
from sq_micro.ir.topology import Topology
from sq_micro.quant.narrow import narrowable

_KEYS = ("default", "operators", "activations", "kernels")


def bitwidths_from(weight_bits: str, topology: Topology, activation_bits: Sequence[str] = ()) -> Bitwidths:
    """`--weight-bits`: one width for all operators, or the path of a plan file.

    activation_bits  `--activation-bits`: each a width for all activations that can have it, or NAME=BITS; what is said
                     here holds against the plan file
    Raises UsageError for a width that does not exist, PlanFileError for anything wrong in the file.
    """
    planned = _weight_bitwidths(weight_bits, topology)
    activations = dict(planned.activations)
    for text in activation_bits:
        name, given, bits = text.rpartition("=")
        try:
            width = int(bits)
            found = _of_all(width, topology) if not given else _of_operators({name: width}, topology)
        except ValueError as error:
            raise UsageError(f"--activation-bits {text}: {error}") from error
        activations |= found
    return Bitwidths(planned.weights, activations)


def _of_all(bits: object, topology: Topology) -> dict[str, int]:
    """A width for every activation that can have it. Raises ValueError iff there is no such width."""
    return _of_operators(dict.fromkeys(narrowable(topology), bits), topology)


def _of_operators(chosen: Mapping[str, object], topology: Topology) -> dict[str, int]:
    """Bits by tensor of what operators put out. Raises ValueError saying what is wrong."""
    able, names = narrowable(topology), [operator.name for operator in topology.operators]
    found: dict[str, int] = {}
    for name, bits in chosen.items():
        if bits not in ACTIVATION_BITS or not isinstance(bits, int):
            raise ValueError(f"{bits!r} bits; activations take {' or '.join(map(str, ACTIVATION_BITS))}")
        if name not in names:
            raise ValueError(f"no operator '{name}'{_near(name, names)}")
        if name not in able and bits != ACTIVATION_BITS[0]:
            raise ValueError(f"the output of '{name}' takes 8 bits (4 are for: {', '.join(able) or 'none'})")
        found |= dict.fromkeys(able.get(name, ()), bits)
    return found


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.3)
    return f"; did you mean '{near[0]}'?" if near else ""


def _weight_bitwidths(weight_bits: str, topology: Topology) -> Bitwidths:
    operators = [operator.name for operator in topology.weighted()]
    if weight_bits.isdigit():
        bits = int(weight_bits)
        if bits not in WEIGHT_BITS:
            raise UsageError(f"--weight-bits {bits}: weights take {_widths()} bits, or a plan file")
        return Bitwidths(dict.fromkeys(operators, bits))
    return _read_plan(Path(weight_bits), operators, topology)


def kernels_from(weight_bits: str, topology: Topology) -> dict[str, KernelSet]:
    """The kernels that a plan file names, by operator; none where `weight_bits` is one width. Raises PlanFileError."""
    if weight_bits.isdigit():
        return {}
    path = Path(weight_bits)
    named = _content(path).get("kernels", {})
    _require_known(path, named, [operator.name for operator in topology.operators])
    for name, kernels in named.items():
        if kernels not in KERNEL_SETS:
            raise PlanFileError(path, f"'{name}': {kernels!r} kernels; known: {', '.join(KERNEL_SETS)}")
    return dict(named)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"--weight-bits takes {_widths()} or a plan file; this file cannot be read ({error.strerror})"
        raise PlanFileError(path, problem) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PlanFileError(path, f"is not JSON: {error}") from error
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key, {}), dict) for key in ("operators", "kernels")
    ):
        raise PlanFileError(path, 'must look like {"default": 8, "operators": {"<name>": 4}}')
    for key in content:
        if key not in _KEYS:
            raise PlanFileError(path, f"unknown key '{key}'; known: {', '.join(_KEYS)}")
    return content


def _require_known(path: Path, named: Iterable[str], operators: list[str]) -> None:
    for name in named:
        if name not in operators:
            known = f"{_near(name, operators)} (known: {', '.join(operators)})"
            raise PlanFileError(path, f"names an unknown operator '{name}'{known}")


def _read_plan(path: Path, operators: list[str], topology: Topology) -> Bitwidths:
    content = _content(path)
    chosen = content.get("operators", {})
    _require_known(path, chosen, operators)
    given = {f"'{name}'": value for name, value in chosen.items()}
    if "default" in content:
        given['"default"'] = content["default"]
    for what, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool) or value not in WEIGHT_BITS:
            raise PlanFileError(path, f"{what}: {value!r} bits; weights take {_widths()}")
    for operator in operators:
        if operator not in chosen and "default" not in content:
            raise PlanFileError(path, f"gives no bits for '{operator}' and has no \"default\"")
    weights = {operator: chosen.get(operator, content.get("default")) for operator in operators}
    return Bitwidths(weights, _activations(path, content.get("activations", {}), topology))


def _activations(path: Path, given: object, topology: Topology) -> dict[str, int]:
    try:
        return _of_operators(given, topology) if isinstance(given, dict) else _of_all(given, topology)
    except ValueError as error:
        raise PlanFileError(path, f'"activations": {error}') from error


def _widths() -> str:
    return ", ".join(map(str, WEIGHT_BITS[:-1])) + f" or {WEIGHT_BITS[-1]}"
