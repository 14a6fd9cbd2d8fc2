"""The promise: every output byte of every image equals TFLite Micro's on the same integers.

For each network and plan of bitwidths the reference is compared with the wheel once; then each image, by compiler and
by what runs it, must give the golden outputs. By default a plan of a network is tried in two of the six places, the
second one in turn; the long run tries all of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sq_micro.board import load_board
from sq_micro.codegen.render import render_board, render_project
from sq_micro.measure.harness import measure
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.session import Session
from sq_micro.plan.plan import make_plan
from sq_micro.reference.golden_vectors import first_difference
from sq_micro.stages.oracle import check_against_oracle
from sq_micro.tflite.export import write_tflite
from sq_micro.toolchain.cmake import BuildRequest
from sq_micro.toolchain.compiler import CompilerChoice, find_compiler
from sq_micro.toolchain.firmware import build
from tests.acceptance.networks import GOLDEN_SAMPLES, NETWORKS, quantized

PLANS = ("8", "6", "5", "4", "3", "2", "mixed")


@dataclass(frozen=True)
class Place:
    """A board, the link to it, and the compiler of the image."""

    board: str
    link: str
    compiler: CompilerChoice

    def __str__(self) -> str:
        return f"{self.link}-{self.compiler}"


PLACES = [
    (Place(board, link, compiler), marks)
    for board, link, marks in (
        ("nucleo_l4r5zi", "simulator", (pytest.mark.simulator,)),
        ("mps2_an386", "qemu", (pytest.mark.qemu,)),
        ("host", "host", ()),
    )
    for compiler in ("gcc", "zig")
]
PAIRS = [(network, plan) for network in NETWORKS for plan in PLANS]
CASES = [
    pytest.param(network, plan, marks=pytest.mark.xdist_group(f"{network}-{plan}"), id=f"{network}-{plan}")
    for network, plan in PAIRS
]


def _image_cases() -> Iterator[Any]:
    for turn, (network, plan) in enumerate(PAIRS):
        usual = {0, 1 + turn % (len(PLACES) - 1)}
        for index, (place, marks) in enumerate(PLACES):
            depth = () if index in usual else (pytest.mark.long,)
            group = pytest.mark.xdist_group(f"{network}-{plan}")
            yield pytest.param(network, plan, place, marks=(group, *marks, *depth), id=f"{network}-{plan}-{place}")


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize(("network", "plan"), CASES)
def test_the_reference_is_tflite_micro(network: str, plan: str) -> None:
    graph, golden = quantized(network, plan)
    assert len(golden) == GOLDEN_SAMPLES
    oracle = check_against_oracle(graph, write_tflite(graph), golden)
    assert oracle.startswith("tflite-micro")


@pytest.mark.slow
@pytest.mark.parametrize(("network", "plan", "place"), list(_image_cases()))
def test_the_image_is_the_reference(network: str, plan: str, place: Place, tmp_path: Path) -> None:
    if place.link == "qemu" and shutil.which("qemu-system-arm") is None:
        pytest.skip("qemu-system-arm is not installed")
    if place.compiler == "gcc" and place.link != "host" and shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    graph, golden = quantized(network, plan)
    board = load_board(place.board)
    arena = make_plan(graph.topology, graph.bitwidths, board.core.isa)
    render_project(graph, arena).write(tmp_path / "model")
    render_board(graph, arena, board).write(tmp_path / "board")
    request = BuildRequest(
        tmp_path / "model",
        tmp_path / "board",
        tmp_path / "build",
        board,
        find_compiler(board, place.compiler),
        arena.arena_bytes,
    )
    image = build(request)
    expected = golden.outputs.reshape(len(golden), -1)
    with Session(make_link(place.link, image.elf, board), model_hash=graph.digest().hex()) as session:
        measured = measure(session, golden.inputs.reshape(len(golden), -1), expected)
    difference = first_difference(measured.outputs, expected, graph.topology.operators[-1].name)
    assert difference is None, str(difference)
    assert measured.identical == GOLDEN_SAMPLES
