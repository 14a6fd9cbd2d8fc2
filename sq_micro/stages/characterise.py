"""Builds a network once per width and set of kernels, and makes one table of what every operator took.

The images are of the network itself, so that whatever the compiler folds, unrolls or shares is in the figures, and
hold weights as the search rounds them: which inner loops an operator takes, and at 2 bits its time, follow from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from sq_micro.assign.rounded_widths import RoundedWidths
from sq_micro.cost.profile import NetworkProfile, OperatorFigures
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.ir.topology import Topology
from sq_micro.mapper import Mapper, SerialMapper
from sq_micro.stages.network_image import (
    ImageFigures,
    ImageRequest,
    executed_operators,
    image_figures,
    surroundings,
)
from sq_micro.stages.progress import Notify, silent
from sq_micro.store import Store, content_key
from sq_micro.toolchain.compiler import CompilerChoice


def characterise(
    rounded: RoundedWidths,
    board: str,
    compiler: CompilerChoice = "auto",
    store: Store | None = None,
    mapper: Mapper | None = None,
    notify: Notify = silent,
    sets: Sequence[KernelSet] = ("fast",),
) -> NetworkProfile:
    """Cycles and code bytes of every operator at every width, with each set of kernels, of which `fast` must be one.

    board  an id, or a file's path

    What was built before, of the same code and with the same compiler, comes from the store.
    """
    kept, workers = store or Store(None), mapper or SerialMapper()
    key = content_key("characterise", rounded.key, _generator(), *surroundings(board, compiler))
    wanted = [(kernels, bits) for kernels in sets for bits in WEIGHT_BITS]
    known = {image: kept.get(f"{key}-{image[0]}-{image[1]}") for image in wanted}
    found = {image: ImageFigures.of_bytes(figures) for image, figures in known.items() if figures is not None}
    missing = [image for image in wanted if image not in found]
    weights = rounded.weights() if missing else {}
    requests = [
        ImageRequest(
            rounded.frame,
            rounded.samples[0],
            {name: widths[bits] for name, widths in weights.items()},
            *(bits, kernels, board, compiler, kept),
        )
        for kernels, bits in missing
    ]
    for figures in workers.map(image_figures, requests, lambda done, total: notify("characterise", done, total)):
        found[figures.kernels, figures.bits] = figures
        kept.put(f"{key}-{figures.kernels}-{figures.bits}", figures.to_bytes())
    return _profile(rounded.frame.topology, [found[image] for image in wanted])


def _generator() -> bytes:
    """What fills in the templates, in a fixed order."""
    package = Path(__file__).resolve().parents[1]
    files = [file for room in ("kernels", "plan", "codegen") for file in (package / room).rglob("*.py")]
    return b"".join(file.read_bytes() for file in sorted(files))


def _profile(topology: Topology, taken: Sequence[ImageFigures]) -> NetworkProfile:
    images = _with_equal_sizes(taken)
    names = [operator.name for operator in executed_operators(topology.operators)]
    overheads = [image.overhead_cycles for image in images if image.overhead_cycles is not None]
    sets = {image.kernels: {i.bits: i for i in images if i.kernels == image.kernels} for image in images}
    found = {kernels: _operators(topology, names, by_width) for kernels, by_width in sets.items()}
    return NetworkProfile(
        operators=found.pop("fast"),
        shared_code_bytes=max(image.shared_code_bytes for image in images),
        overhead_cycles=max(overheads) if overheads else None,
        static_bytes=max(image.static_bytes for image in images),
        stack_bytes=max(image.stack_bytes for image in images),
        rest_stack_bytes=max(image.rest_stack_bytes for image in images),
        sets=found,
    )


def _with_equal_sizes(images: Sequence[ImageFigures]) -> list[ImageFigures]:
    """Called functions with their largest size of any image: compilers fold what all callers have in common, and in an
    image of mixed widths they have less.
    """
    sizes: dict[str, int] = {}
    for called in chain.from_iterable(image.calls for image in images):
        sizes |= {name: max(size, sizes.get(name, 0)) for name, size in called.items()}
    return [
        replace(image, calls=tuple({name: sizes[name] for name in called} for called in image.calls))
        for image in images
    ]


def _operators(
    topology: Topology, names: Sequence[str], images: Mapping[int, ImageFigures]
) -> dict[str, dict[int, OperatorFigures]]:
    """By name, then by width."""
    weighted = {operator.name for operator in topology.weighted()}
    operators: dict[str, dict[int, OperatorFigures]] = {}
    for index, name in enumerate(names):
        widths = images if name in weighted else {0: max(images.values(), key=lambda image: image.code_bytes[index])}
        operators[name] = {
            bits: OperatorFigures(
                image.cycles[index] if image.cycles else None,
                image.code_bytes[index],
                image.calls[index],
                image.operator_stack_bytes[index],
            )
            for bits, image in widths.items()
        }
    return operators
