"""bits.json: a bitwidth per operator by name, with a default. `{"default": 8, "operators": {"conv2d_1": 4}}`"""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from sq_micro.errors import PlanFileError, UsageError
from sq_micro.ir.bitwidths import WEIGHT_BITS, Bitwidths
from sq_micro.ir.topology import Topology

_KEYS = ("default", "operators")


def bitwidths_from(weight_bits: str, topology: Topology) -> Bitwidths:
    """`--weight-bits`: one width for all operators, or the path of a plan file.

    Raises UsageError for a width that does not exist, PlanFileError for anything wrong in the file.
    """
    operators = [operator.name for operator in topology.weighted()]
    if weight_bits.isdigit():
        bits = int(weight_bits)
        if bits not in WEIGHT_BITS:
            raise UsageError(f"--weight-bits {bits}: weights take {_widths()} bits, or a plan file")
        return Bitwidths(dict.fromkeys(operators, bits))
    return _read_plan(Path(weight_bits), operators)


def _read_plan(path: Path, operators: list[str]) -> Bitwidths:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"--weight-bits takes {_widths()} or a plan file; this file cannot be read ({error.strerror})"
        raise PlanFileError(path, problem) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PlanFileError(path, f"is not JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("operators", {}), dict):
        raise PlanFileError(path, 'must look like {"default": 8, "operators": {"<name>": 4}}')
    for key in content:
        if key not in _KEYS:
            raise PlanFileError(path, f"unknown key '{key}'; known: {', '.join(_KEYS)}")
    chosen = content.get("operators", {})
    for name in chosen:
        if name not in operators:
            near = difflib.get_close_matches(name, operators, n=1, cutoff=0.3)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise PlanFileError(path, f"names an unknown operator '{name}'{hint} (known: {', '.join(operators)})")
    given = {f"'{name}'": value for name, value in chosen.items()}
    if "default" in content:
        given['"default"'] = content["default"]
    for what, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool) or value not in WEIGHT_BITS:
            raise PlanFileError(path, f"{what}: {value!r} bits; weights take {_widths()}")
    for operator in operators:
        if operator not in chosen and "default" not in content:
            raise PlanFileError(path, f"gives no bits for '{operator}' and has no \"default\"")
    return Bitwidths({operator: chosen.get(operator, content.get("default")) for operator in operators})


def _widths() -> str:
    return ", ".join(map(str, WEIGHT_BITS[:-1])) + f" or {WEIGHT_BITS[-1]}"
