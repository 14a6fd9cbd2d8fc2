"""The kernels that exist, read from `firmware/kernels/kernels.def`: the one list that C, tests and Python share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from sq_micro.paths import project_files

_LINE = re.compile(r"^SQM_KERNEL\(\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\d+),\s*(\w+)\s*\)", re.MULTILINE)


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
    """All variants, in the order of the file."""
    text = (project_files() / "firmware" / "kernels" / "kernels.def").read_text(encoding="utf-8")
    return tuple(
        KernelVariant(microkernel, act, wgt, tile, isa, int(k_multiple), layout)
        for microkernel, act, wgt, tile, isa, k_multiple, layout in _LINE.findall(text)
    )


def find(microkernel: str, bits: int, tile: str, isa: str = "c") -> KernelVariant:
    """The variant of a microkernel for a weight width. KeyError iff kernels.def does not list it."""
    for variant in catalogue():
        if (variant.microkernel, variant.wgt, variant.tile, variant.isa) == (microkernel, f"w{bits}", tile, isa):
            return variant
    raise KeyError(f"kernels.def lists no {microkernel} w{bits} {tile} for {isa}")
