"""The view of an operator that goes through activations of 4 bits piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sq_micro.codegen.calls import Call
from sq_micro.codegen.nests import Nest, NestMaker
from sq_micro.codegen.views import FieldView, OperatorView
from sq_micro.kernels.pieces import Pieces

# What differs from piece to piece, by the names that the params structs have for it.
_OF_PIECE = {
    "input_height": "piece.rows.inputs",
    "input_width": "piece.columns.inputs",
    "output_height": "piece.rows.outputs",
    "output_width": "piece.columns.outputs",
    "pad_top": "piece.rows.pad",
    "pad_left": "piece.columns.pad",
    "tile_height": "piece.rows.outputs",
    "tile_width": "piece.columns.outputs",
    "pixels": "piece.pixels",
    "elements": "piece.pixels",
}
PIECE_DEPTH = 2  # blocks


def field_views(values: Mapping[str, int | str]) -> tuple[FieldView, ...]:
    """The fields of an initialiser."""
    return tuple(FieldView(name, str(value)) for name, value in values.items())


def piece_calls(maker: NestMaker, pieces: Pieces, nest: Nest, symbol: str) -> tuple[Call, ...]:
    """What is done for each piece: codes are taken, the nest computes, codes are put."""

    def moved(function: str, tensor: str, *places: str) -> Call:
        bits = maker.graph.activations[tensor].bits
        return Call(f"sqm_piece_{function}", (f"&{symbol}_pieces", "&piece", str(bits), *places))

    params = ("&params",) if nest.params else ()
    (arguments,) = nest.calls
    output = pieces.output
    return (
        *(moved("take", tensor, maker.rest(tensor), maker.piece_of(tensor, pieces)) for tensor in pieces.inputs),
        Call(f"sqm_{nest.name}", params + arguments),
        moved("put", output, maker.piece_of(output, pieces), maker.rest(output)),
    )


def piece_view(maker: NestMaker, pieces: Pieces, nest: Nest, plain: OperatorView) -> OperatorView:
    """The view of a nest, made one of a loop around it."""
    return replace(
        plain,
        template="operators/pieces.c.j2",
        params=field_views(
            {name: _OF_PIECE.get(name.rpartition(".")[2], value) for name, value in nest.params.items()}
        ),
        pieces=field_views(pieces_fields(pieces, maker.operator.name in maker.plan.downwards)),
    )


def pieces_fields(pieces: Pieces, downwards: bool) -> dict[str, int]:
    """The members of sqm_pieces, in order."""
    geometry, piece = pieces.geometry, pieces.piece
    sides = ("height", "width", "channels")
    pairs = (("extent", geometry.extent), ("stride", geometry.stride))
    return {
        **{f"input_{side}": size for side, size in zip(sides, geometry.input, strict=True)},
        **{f"output_{side}": size for side, size in zip(sides, geometry.output, strict=True)},
        **{f"{name}_{side}": size for name, sizes in pairs for side, size in zip(sides[:2], sizes, strict=True)},
        "pad_top": geometry.pads[0],
        "pad_left": geometry.pads[1],
        "piece_height": piece.height,
        "piece_width": piece.width,
        "pieces": pieces.count,
        "downwards": int(downwards),
    }
