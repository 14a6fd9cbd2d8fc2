"""The kernels that exist, read from `firmware/kernels/kernels.def`: the one list that C, tests and Python share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from sq_micro.paths import project_files

PORTABLE = "c"  # the ISA that every core runs
_ENTRY = re.compile(r"SQM_KERNEL\(\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\d+),\s*(\w+)\s*\)\s*")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KernelVariant:
    """One line of kernels.def; `k_multiple` is what the length must be divisible by."""

    microkernel: str
    act: str
    wgt: str
    tile: str
    isa: str
    k_multiple: int
    layout: str

    @property
    def name(self) -> str:
        """The C symbol: what, two underscores, how."""
        return f"sqm_{self.microkernel}_{self.act}_{self.wgt}_{self.tile}__{self.isa}"


@cache
def catalogue() -> tuple[KernelVariant, ...]:
    """All lines of kernels.def, in their order."""
    return parse((project_files() / "firmware" / "kernels" / "kernels.def").read_text(encoding="utf-8"))


def parse(text: str) -> tuple[KernelVariant, ...]:
    """The entries of a kernels.def. Raises ValueError naming the line that is no entry, or repeats one.

    >>> parse("SQM_KERNEL(dot, s8, w4, 1x1, c, 1, linear)")[0].name
    'sqm_dot_s8_w4_1x1__c'
    """
    found: dict[str, KernelVariant] = {}
    without_comments = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    for number, line in enumerate(without_comments.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            raise ValueError(
                f"kernels.def:{number}: '{line.strip()}' is not"
                " SQM_KERNEL(microkernel, act, wgt, tile, isa, k_multiple, layout), alone on its line"
            )
        microkernel, act, wgt, tile, isa, k_multiple, layout = entry.groups()
        variant = KernelVariant(microkernel, act, wgt, tile, isa, int(k_multiple), layout)
        if variant.name in found:
            raise ValueError(f"kernels.def:{number}: {variant.name} is listed twice")
        found[variant.name] = variant
    return tuple(found.values())


def find(microkernel: str, bits: int, tile: str, isa: str = PORTABLE) -> KernelVariant:
    """The variant of a microkernel for a weight width. KeyError iff kernels.def does not list it."""
    for variant in catalogue():
        if (variant.microkernel, variant.wgt, variant.tile, variant.isa) == (microkernel, f"w{bits}", tile, isa):
            return variant
    raise KeyError(f"kernels.def lists no {microkernel} w{bits} {tile} for {isa}")
