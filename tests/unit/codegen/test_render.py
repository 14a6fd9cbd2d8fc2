"""What is generated: the same bytes for the same network, wherever and whenever."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from pathlib import Path, PurePosixPath

import jinja2
import pytest

from sq_micro.board import board_ids, load_board
from sq_micro.codegen.model_view import make_model_view
from sq_micro.codegen.render import environment, render_board, render_project
from sq_micro.codegen.source_tree import SourceTree
from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.kernel_set import KERNEL_SETS, KernelSet
from sq_micro.ir.operators import NONE, RELU, Reshape
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.kernels.dsp import DSP
from sq_micro.paths import project_files
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from tests.golden.codegen.models import MODELS, conv_dense, mixed
from tests.models.random_quant_graph import RandomQuantGraph, random_network
from tests.models.rounded_otherwise import rounded_otherwise


def rendered(graph: QuantGraph) -> SourceTree:
    return render_project(graph, make_plan(graph.topology, graph.bitwidths))


@pytest.mark.parametrize("name", MODELS)
def test_two_renders_are_equal(name: str) -> None:
    assert rendered(MODELS[name]()).files == rendered(MODELS[name]()).files


@pytest.mark.parametrize("isa", [PORTABLE, DSP])
@pytest.mark.parametrize("seed", range(12))
def test_code_does_not_follow_from_how_weights_were_rounded(seed: int, isa: str) -> None:
    """All files but the one with the constants are the same; sizes of constants stand in its header."""
    graph = depthwise_layers(seed) if seed < 4 else random_network(seed)
    texts = []
    for rounded in (graph, rounded_otherwise(graph, seed)):
        files = dict(render_project(rounded, make_plan(graph.topology, graph.bitwidths, isa)).files)
        del files[PurePosixPath("src/sqm_random_weights.c")]
        texts.append({path: text.replace(rounded.digest().hex()[:16], "its hash") for path, text in files.items()})
    assert texts[0] == texts[1]


def depthwise_layers(seed: int) -> QuantGraph:
    """With and without an activation function, strides 1 and 2, windows of 3x3 and others."""
    builder, tensor = RandomQuantGraph(seed, (9, 9, 4)), "input"
    for window, stride, activation in product(((3, 3), (5, 5)), (1, 2), (NONE, RELU)):
        bits = WEIGHT_BITS[(seed + stride) % len(WEIGHT_BITS)]
        tensor = builder.depthwise_conv2d(tensor, window, (stride, stride), activation=activation, bits=bits)
    return builder.build(tensor)


def test_nothing_tells_when_or_where_it_was_generated() -> None:
    graph = mixed()
    board = render_board(graph, make_plan(graph.topology, graph.bitwidths), load_board("nucleo_l4r5zi"))
    for path, text in (rendered(graph).files | board.files).items():
        if path.name == "LICENSE":
            continue
        assert not re.search(r"\b20\d\d-\d\d|\b\d\d:\d\d", text), path
        for place in (str(project_files()), f"{Path.home()}/", "/tmp/"):
            assert place not in text, path


def test_the_text_has_no_rough_edges() -> None:
    for path, text in rendered(mixed()).files.items():
        if path.name == "LICENSE":
            continue
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        assert not text.startswith("\n"), path
        assert "\n\n\n" not in text, path
        assert not re.search(r"[ \t]$", text, re.MULTILINE), path
        assert text.isascii(), path


@pytest.mark.parametrize("seed", range(5))
def test_every_operator_that_runs_has_a_function_and_a_call(seed: int) -> None:
    graph = random_network(seed)
    text = rendered(graph).files[PurePosixPath("src/sqm_random.c")]
    executed = [operator for operator in graph.topology.operators if not isinstance(operator, Reshape)]
    functions = re.findall(r"^static SQM_NOINLINE void (op\d\d_\w+)\(void\)$", text, re.MULTILINE)
    assert len(functions) == len(executed)
    cases = re.findall(r"^    case (\d+):\n        (\w+)\(\);\n        break;$", text, re.MULTILINE)
    assert cases == [(str(index), function) for index, function in enumerate(functions)]
    for index, operator in enumerate(executed):
        assert f"/* {index}: " in text
        assert f"'{operator.name}'" in text


def test_only_the_kernels_that_are_used_are_copied() -> None:
    kernels = {path.name for path in rendered(conv_dense()).files if path.parts[0] == "sqm"}
    assert {"conv2d.h", "dense.h", "requantize.h", "compiler.h"} <= kernels
    assert not {"softmax.h", "depthwise_conv2d.h", "add.h"} & kernels


@pytest.mark.parametrize("kernels", KERNEL_SETS)
@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_every_set_of_kernels_has_its_headers_at_every_width(bits: int, kernels: KernelSet) -> None:
    """A short window and a long one, since 4 bits have a nest for each."""
    builder = RandomQuantGraph(bits, (6, 6, 3))
    tensor = builder.conv2d("input", 4, (3, 3), bits=bits)
    tensor = builder.conv2d(builder.depthwise_conv2d(tensor, (3, 3), bits=bits), 4, (3, 3), bits=bits)
    graph = builder.build(builder.dense(builder.reshape(tensor, (16,)), 3, bits=bits))
    sets = {operator.name: kernels for operator in graph.topology.operators}
    tree = render_project(graph, make_plan(graph.topology, graph.bitwidths, DSP, sets=sets))
    model = tree.files[PurePosixPath("src/sqm_random.c")]
    included = re.findall(r'^#include "(kernels/.+)"$', model, re.MULTILINE)
    assert {PurePosixPath("sqm", path) for path in included} <= set(tree.files)
    assert any(path.endswith("/shared.h") for path in included) == (kernels == "shared")
    assert any(path.endswith("/small.h") for path in included) == (kernels == "small")


def test_a_hostile_name_stays_inside_its_comments() -> None:
    name = 'a*/ int x; /* "\n)\nset(EVIL 1)'
    graph = conv_dense()
    tree = rendered(replace(graph, topology=replace(graph.topology, name=name)))
    assert PurePosixPath("include/sqm_a_int_x_set_evil_1.h") in tree.files
    for path, text in tree.files.items():
        if path.name != "LICENSE" and path.parts[0] != "sqm":
            assert "*/ int x" not in text
            assert not re.search(r"^\)|^set\(EVIL", text, re.MULTILINE), path


@pytest.mark.parametrize("name", board_ids())
def test_every_board_gets_what_the_build_reads(name: str) -> None:
    graph, board = conv_dense(), load_board(name)
    files = render_board(graph, make_plan(graph.topology, graph.bitwidths), board).files
    config = files[PurePosixPath("board_config.h")]
    assert f'#define SQM_BOARD_NAME    "{name}"' in config
    assert re.search(rf"#define SQM_CLOCK_HZ +{board.core.clock_hz or 0}u\b", config)
    assert f"set(SQM_SOC {board.soc})" in files[PurePosixPath("board.cmake")]
    linker = files.get(PurePosixPath("linker.ld"))
    assert (linker is None) == (board.sram is None)
    if board.sram is not None and linker is not None:
        assert f"ORIGIN = 0x{board.sram.origin:08X}, LENGTH = {board.sram.size_bytes}" in linker
        assert f"set(SQM_BOARD_STACK_BYTES {board.stack_bytes})" in files[PurePosixPath("board.cmake")]


def test_scales_are_read_back_as_the_same_float32() -> None:
    graph = mixed()
    view = make_model_view(graph, make_plan(graph.topology, graph.bitwidths))
    for text, params in ((view.input_scale, graph.input_params), (view.output_scale, graph.output_params)):
        assert re.fullmatch(r"\d\.\d+e[+-]\d+f", text)
        assert float(text[:-1]) == pytest.approx(params.scale, rel=1e-7)


def test_a_control_line_leaves_no_trace() -> None:
    template = environment().from_string(
        "//# note\na\n\n//% if yes\nb\n//% endif\n\n  //% for x in (1, 2)\n{{ x }}\n  //% endfor\n"
    )
    assert template.render(yes=True) == "a\n\nb\n\n1\n2\n"


def test_a_typing_error_in_a_template_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="missspelled"):
        environment().from_string("{{ model.missspelled }}").render(model=object())


def test_arena_and_stack_go_where_the_fastest_memory_holds_both() -> None:
    """The CCM of an STM32F407 has 64 KiB; the main SRAM has 128, and is slower."""
    board, graph = load_board("stm32f4_discovery"), conv_dense()
    plan = make_plan(graph.topology, graph.bitwidths)
    for arena_bytes, region in ((plan.arena_bytes, "CCM"), (65_536 - board.stack_bytes, "SRAM")):
        files = render_board(graph, replace(plan, arena_bytes=arena_bytes), board).files
        linker = files[PurePosixPath("linker.ld")]
        sections = dict(re.findall(r"^    \.(\w+) .*?\} > (\w+)", linker, re.MULTILINE | re.DOTALL))
        assert (sections["stack"], sections["arena"]) == (region, region)
        assert (sections["data"], sections["bss"]) == ("SRAM", "SRAM")
        assert ("CCM (rw) : ORIGIN = 0x10000000, LENGTH = 65536" in linker) == (region == "CCM")
