"""The view of a whole model, and of a board."""

from __future__ import annotations

import re

import numpy as np

from sq_micro import __version__
from sq_micro.board import Board
from sq_micro.codegen.constants import array_bytes, constant_arrays
from sq_micro.codegen.head_views import head_view
from sq_micro.codegen.literals import comment, identifier, string
from sq_micro.codegen.operator_views import operator_view
from sq_micro.codegen.places import place_view, share_views
from sq_micro.codegen.views import ArenaView, BoardView, ModelView, OperatorView, RegionView
from sq_micro.ir.operators import Conv2D, Dense, DepthwiseConv2D, Reshape
from sq_micro.ir.topology import total_macs
from sq_micro.kernels.catalogue import PORTABLE, catalogue
from sq_micro.kernels.dsp import DSP
from sq_micro.plan.plan import Plan
from sq_micro.quant.graph import QuantGraph


def make_model_view(graph: QuantGraph, plan: Plan) -> ModelView:
    """Everything that the model templates print."""
    topology = graph.topology
    name = identifier(topology.name)
    prefix = f"sqm_{name}"
    executed = [operator for operator in topology.operators if not isinstance(operator, Reshape)]
    operators = tuple(operator_view(graph, plan, op, index, prefix) for index, op in enumerate(executed))
    arrays = tuple(
        array
        for index, op in enumerate(executed)
        if isinstance(op, Conv2D | DepthwiseConv2D | Dense)
        for array in constant_arrays(graph, plan.choices[op.name], op, f"{prefix}_op{index:02d}")
    )
    head = head_view(graph, plan, operators)
    patch_headers = set() if head is None else {"operators/patch.h"}
    digest = graph.digest()
    weight_bytes = sum(array_bytes(array) for array in arrays if array.symbol.endswith("_weights"))
    table_bytes = sum(array_bytes(array) for array in arrays) - weight_bytes
    return ModelView(
        name=name,
        prefix=prefix,
        macro=prefix.upper(),
        title=comment(topology.name),
        version=__version__,
        model_hash=digest.hex(),
        hash_bytes=", ".join(f"0x{byte:02x}" for byte in digest),
        summary=_summary(graph, operators),
        includes=tuple(sorted(_includes(operators) | patch_headers)),
        isa_folder=isa_folder(plan.isa),
        operators=operators,
        head=head,
        arrays=arrays,
        input_shape="x".join(map(str, graph.input_shape)),
        output_shape="x".join(map(str, topology.shape(topology.output)[1:])),
        input_bytes=topology.elements(topology.input),
        output_bytes=topology.elements(topology.output),
        input_scale=_float_text(graph.input_params.scale),
        input_zero_point=graph.input_params.zero_point,
        output_scale=_float_text(graph.output_params.scale),
        output_zero_point=graph.output_params.zero_point,
        input_place=place_view(plan, plan.tensors[topology.input].offset_bytes),
        output_place=place_view(plan, plan.tensors[topology.output].offset_bytes),
        arena_bytes=plan.arena_bytes,
        shares=share_views(plan),
        weight_bytes=weight_bytes,
        table_bytes=table_bytes,
    )


def _includes(operators: tuple[OperatorView, ...]) -> set[str]:
    pieces = {"operators/pieces.h"} if any(operator.pieces for operator in operators) else set()
    return {_header(operator.nest) for operator in operators} | pieces


_SHARED = re.compile(rf"\w+_w\d(_unpacked)?__{DSP}")
_HEADERS = {
    "conv2d": "operators/conv2d.h",
    "depthwise_conv2d": "operators/depthwise_conv2d.h",
    "dense": "operators/dense.h",
    "add": "operators/add.h",
    "concatenate_part": "operators/concatenate.h",
    "pad2d": "operators/pad2d.h",
    "max_pool2d": "operators/pool2d.h",
    "average_pool2d": "operators/pool2d.h",
    "mean": "operators/mean.h",
    "mean_packed": "operators/mean_packed.h",
    "rescale": "operators/rescale.h",
    "softmax": "operators/softmax.h",
    "conv2d__armv7em_dsp": "armv7em_dsp/conv2d.h",
    "depthwise3x3__armv7em_dsp": "armv7em_dsp/depthwise_conv2d.h",
    "depthwise_strips__armv7em_dsp": "armv7em_dsp/depthwise_strips.h",
    "add__armv7em_dsp": "armv7em_dsp/add.h",
    "max_pool2d__armv7em_dsp": "armv7em_dsp/pool2d.h",
    "average_pool2d__armv7em_dsp": "armv7em_dsp/pool2d.h",
    "mean__armv7em_dsp": "armv7em_dsp/pool2d.h",
    "rescale__armv7em_dsp": "armv7em_dsp/rescale.h",
    "dense__armv7em_dsp": "armv7em_dsp/dense.h",
    "sigmoid": "operators/sigmoid.h",
}


def _header(nest: str) -> str:
    if "__small" in nest:
        return "operators/small.h"
    return f"{DSP}/shared.h" if _SHARED.match(nest) else _HEADERS[nest]


def isa_folder(isa: str) -> str:
    """The folder of the ISA's kernels; an ISA without kernels of its own takes the portable ones."""
    return isa if any(variant.isa == isa for variant in catalogue()) and isa != PORTABLE else "portable_c"


def _summary(graph: QuantGraph, operators: tuple[OperatorView, ...]) -> tuple[str, ...]:
    total = total_macs(graph.topology)
    bits = " ".join(str(graph.bitwidths.weights[op.name]) for op in graph.topology.weighted())
    count = f"{len(operators)} operator{'' if len(operators) == 1 else 's'}"
    return (f"{count}, {total:,} multiply-accumulates", f"weight bits by operator: {bits or 'none'}")


def _float_text(value: float) -> str:
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    return f"{text}f"


def make_board_view(board: Board, plan: Plan) -> BoardView:
    """Everything that the board templates print; the plan decides where stack and arena lie."""

    def hexadecimal(value: int) -> str:
        return f"0x{value:08X}"

    stack, arenas = _places_of_ram(board, plan)
    used = {stack, *(arena.region for arena in arenas)}
    return BoardView(
        id=board.id,
        title=comment(board.title),
        name_literal=string(board.id),
        isa_literal=string(board.core.isa),
        architecture=board.core.architecture,
        soc=board.soc,
        uart_driver=board.uart.driver,
        cycle_counter=board.core.cycle_counter,
        clock_hz=f"{board.core.clock_hz or 0}u",
        uart_base=f"{hexadecimal(board.uart.base)}u",
        uart_baud=f"{board.uart.baud}u",
        uart_clock_hz=f"{board.uart.clock_hz}u",
        has_fpu=str(int(board.core.has_fpu)),
        core_flags=" ".join(board.core.flags),
        flash_origin=hexadecimal(board.flash.origin if board.flash else 0),
        flash_bytes=str(board.flash.size_bytes if board.flash else 0),
        # Boot code that loads RAM puts initial values where they are used; start-up then copies them onto themselves.
        data_load_region="" if board.ram_image else " AT > FLASH",
        sram_origin=hexadecimal(board.sram.origin if board.sram else 0),
        sram_bytes=str(board.sram.size_bytes if board.sram else 0),
        more_regions=tuple(
            RegionView(region.name.upper(), hexadecimal(region.memory.origin), str(region.memory.size_bytes))
            for region in board.regions
            if region.name.upper() in used
        ),
        stack_region=stack,
        arenas=arenas,
        stack_bytes=board.stack_bytes,
    )


def _places_of_ram(board: Board, plan: Plan) -> tuple[str, tuple[ArenaView, ...]]:
    """The regions of stack and arena: one for both, the fastest and the shares' own where the arena is divided."""
    if not plan.shares:
        hot = board.hot_region(plan.arena_bytes)
        name = hot.name.upper() if hot else ""
        return name, (ArenaView("", "sqm_arena", name),)
    first, *others = share_views(plan)
    more = (ArenaView(share.suffix, f"sqm_arena{share.suffix}", share.region.upper()) for share in others)
    return board.rams[0].name.upper(), (ArenaView(first.suffix, "sqm_arena", first.region.upper()), *more)
