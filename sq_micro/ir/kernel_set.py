"""Which kernels an operator takes: time against code."""

from __future__ import annotations

from typing import Literal

KernelSet = Literal["fast", "shared", "portable", "small"]
"""fast      the best of the core's ISA, a loop nest compiled for each operator
shared    the same kernels, with one nest for all operators of a width
portable  portable C, a nest compiled for each operator: less code where there are few
small     portable C, with one nest for all operators of a kind, whatever their widths

Convolutions and dense layers share; depthwise convolutions do in `small` alone. Operators without weights are what they
are in `fast`, or portable C.
"""
KernelsChoice = Literal["auto", "fast", "shared", "portable", "small"]
"""One set for all operators, or `auto`: each operator its own, the fastest unless a budget for flash binds."""
KERNEL_SETS: tuple[KernelSet, ...] = ("fast", "shared", "portable", "small")
