"""Operators that look at neighbours, or move codes about: pooling, padding, means, shapes, concatenation."""

from __future__ import annotations

from math import prod

from sq_micro.frontend.graph_builder import Value
from sq_micro.ir.operators import AveragePool2D, Concatenate, MaxPool2D, Mean, Pad, Pad2D, Reshape
from sq_micro.ir.topology import Shape
from sq_micro.tflite.importing.call import Call
from sq_micro.tflite.importing.weighted import padding_of


def handle_pool(call: Call) -> None:
    """MAX_POOL_2D and AVERAGE_POOL_2D."""
    source = call.image()
    call.require_same_params(source)
    rows, columns, height, width = call.positive("StrideH", "StrideW", "FilterHeight", "FilterWidth")
    padding = padding_of(call, (source.shape[0], source.shape[1]), (height, width), (rows, columns), (1, 1))
    name = call.name()
    kind = MaxPool2D if call.operation.code == "MAX_POOL_2D" else AveragePool2D
    pool = kind(name, source.tensor, name, (height, width), (rows, columns), padding)
    out_height = (source.shape[0] + padding.top + padding.bottom - height) // rows + 1
    out_width = (source.shape[1] + padding.left + padding.right - width) // columns + 1
    call.finish(call.clamped(call.add(pool, (out_height, out_width, source.channels)), call.fused()))


def handle_pad(call: Call) -> None:
    """PAD and PADV2 with real zeros around height and width."""
    source = call.value()
    rank = len(source.shape)
    pads = call.whole_numbers(1)
    if pads.shape != (rank + 1, 2) or pads.min() < 0:
        call.damaged(f"paddings of shape {pads.shape} for an input {source.shape}")
    call.require(rank > 1 and not pads[0].any() and not pads[-1].any(), f"paddings {pads.tolist()}", "height and width")
    call.require_same_params(source)
    if call.tensor(2) is not None:
        filler = call.constant(2, "INT8" if call.state.integers else "FLOAT32").ravel()
        zero = call.params()[1] if call.state.integers else 0
        call.require(filler.size == 1 and filler[0] == zero, f"padding by {filler.tolist()}", "padding by zero")
    top, bottom = (int(pads[1, 0]), int(pads[1, 1])) if rank == 3 else (0, 0)
    pad = Pad(top, bottom, int(pads[-2, 0]), int(pads[-2, 1]))
    name = call.name()
    height, width = source.nhwc[1] + top + bottom, source.nhwc[2] + pad.left + pad.right
    shape = (height, width, source.channels) if rank == 3 else (width, source.channels)
    call.finish(call.add(Pad2D(name, source.tensor, name, pad), shape))


def handle_mean(call: Call) -> None:
    """MEAN over height and width."""
    source = call.value()
    _require_all_pixels(call, source)
    name = call.name()
    mean = call.add(Mean(name, source.tensor, name), (source.channels,))
    call.finish(reshaped(call, mean, call.out_shape()))


def handle_maximum_over_pixels(call: Call) -> None:
    """REDUCE_MAX over height and width: one window over the whole image."""
    source = call.value()
    _require_all_pixels(call, source)
    call.require_same_params(source)
    name, (_, height, width, channels) = call.name(), source.nhwc
    whole = (height, width)
    pooled = call.add(MaxPool2D(name, source.tensor, name, whole, whole), (1, 1, channels))
    call.finish(reshaped(call, pooled, call.out_shape()))


def handle_reshape(call: Call) -> None:
    """RESHAPE, SQUEEZE and EXPAND_DIMS, all by the shape that the file states for the output."""
    source, shape = call.value(), call.out_shape()
    if prod(source.shape) != prod(shape):
        call.damaged(f"turns {source.shape} to {shape}")
    call.require_same_params(source)
    call.finish(reshaped(call, source, shape))


def handle_concatenation(call: Call) -> None:
    """CONCATENATION along any axis but the batch."""
    parts = [call.value(position) for position in range(len(call.operation.inputs))]
    rank = len(parts[0].shape) + 1
    axis = call.option("Axis")
    axis += rank if axis < 0 else 0
    call.require(1 <= axis < rank, f"axis {call.option('Axis')}", "every axis but the batch")
    call.require_same_params(*parts)
    others = {part.shape[: axis - 1] + part.shape[axis:] for part in parts}
    if len(others) > 1 or len({len(part.shape) for part in parts}) > 1:
        call.damaged(f"joins {', '.join(str(part.shape) for part in parts)}")
    name = call.name()
    shape = list(parts[0].shape)
    shape[axis - 1] = sum(part.shape[axis - 1] for part in parts)
    joined = Concatenate(name, tuple(part.tensor for part in parts), name, axis + len(parts[0].nhwc) - rank)
    call.finish(call.clamped(call.add(joined, tuple(shape)), call.fused()))


def reshaped(call: Call, value: Value, shape: Shape) -> Value:
    """The same elements under another shape, with the output's scale."""
    if value.shape == shape:
        return value
    if Value(value.tensor, shape).nhwc == value.nhwc:
        return Value(value.tensor, shape)
    name = call.builder.unique_name(f"{value.tensor}_shape")
    return call.add(Reshape(name, value.tensor, name), shape)


def _require_all_pixels(call: Call, source: Value) -> None:
    rank = len(source.shape) + 1
    axes = {int(axis) % rank for axis in call.whole_numbers(1).ravel()}
    pixels = set(range(1, rank - 1))
    call.require(bool(pixels) and axes == pixels, f"axes {sorted(axes)} of {source.shape}", "height and width")
