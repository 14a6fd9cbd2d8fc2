"""When buffers are in use."""

from __future__ import annotations

from sq_micro.ir.topology import Topology
from sq_micro.plan.lifetimes import Buffer, live_buffers, live_bytes
from tests.models.random_quant_graph import RandomQuantGraph


def residual() -> Topology:
    """input, conv2d_0, conv2d_1, add_2(conv2d_0, conv2d_1), relu_3."""
    builder = RandomQuantGraph(0, (4, 4, 2))
    left = builder.conv2d(builder.input, 3)
    return builder.build(builder.relu(builder.add(left, builder.conv2d(left, 3)))).topology


def lifetimes(topology: Topology, scratch: dict[str, int] | None = None) -> dict[str, tuple[int, int]]:
    return {buffer.name: (buffer.first, buffer.last) for buffer in live_buffers(topology, scratch or {})}


def test_a_tensor_lives_from_its_writer_to_its_last_reader() -> None:
    found = lifetimes(residual())
    assert found == {"input": (0, 0), "conv2d_0": (0, 2), "conv2d_1": (1, 2), "add_2": (2, 3), "relu_3": (3, 3)}


def test_scratch_lives_while_its_operator_runs() -> None:
    found = lifetimes(residual(), {"conv2d_0": 0, "conv2d_1": 7, "add_2": 0})
    assert found["conv2d_1 (scratch)"] == (1, 1)
    assert "conv2d_0 (scratch)" not in found


def test_a_reshape_is_another_name_for_its_input() -> None:
    builder = RandomQuantGraph(0, (4, 4, 2))
    pooled = builder.max_pool2d(builder.input)
    flat = builder.reshape(pooled, (8,))
    topology = builder.build(builder.dense(builder.reshape(flat, (8,)), 3)).topology
    found = {buffer.name: buffer for buffer in live_buffers(topology, {})}
    assert found["pool2d_0"] == Buffer("pool2d_0", 8, 0, 3, ("pool2d_0", "reshape_1", "reshape_2"))
    assert set(found) == {"input", "pool2d_0", "dense_3"}


def test_an_output_behind_a_reshape_lives_to_the_end() -> None:
    builder = RandomQuantGraph(0, (2, 2, 2))
    topology = builder.build(builder.reshape(builder.relu(builder.input), (8,))).topology
    assert lifetimes(topology) == {"input": (0, 0), "relu_0": (0, 1)}


def test_an_output_that_is_also_read_inside_lives_to_the_end() -> None:
    builder = RandomQuantGraph(0, (2, 2, 2))
    output = builder.relu(builder.input)
    builder.sigmoid(builder.sigmoid(output))
    assert lifetimes(builder.build(output).topology)["relu_0"] == (0, 2)


def test_live_bytes_count_tensors_and_scratch() -> None:
    found = live_buffers(residual(), {"conv2d_1": 7})
    assert [live_bytes(found, index) for index in range(4)] == [32 + 48, 48 + 48 + 7, 3 * 48, 2 * 48]
