"""Images for a core with DSP instructions whose activations have 4 bits, in their smallest arena: outputs are the
reference's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.ir.operators import RELU
from sq_micro.plan.plan import make_plan
from sq_micro.quant.graph import QuantGraph
from sq_micro.reference.interpreter import run
from tests.models.narrowed import narrowed
from tests.models.random_quant_graph import RandomQuantGraph, random_codes
from tests.simulator.test_overlap_on_dsp_cores import SAMPLES, outputs

pytestmark = [pytest.mark.slow, pytest.mark.simulator]


def every_nest() -> QuantGraph:
    """Convolutions of several widths, depthwise ones that the band serves and that it does not, pools, sums, a mean."""
    builder = RandomQuantGraph(4, (13, 10, 3))
    x = builder.conv2d(builder.input, 8, activation=RELU)
    x = builder.depthwise_conv2d(x, activation=RELU, bits=4)
    x = builder.conv2d(x, 9, (1, 1), activation=RELU, bits=4)
    x = builder.depthwise_conv2d(x, (2, 3), (1, 1), activation=RELU, bits=3)
    x = builder.depthwise_conv2d(x, stride=(2, 2), activation=RELU)
    x = builder.add(x, builder.conv2d(x, 9, bits=2), RELU)
    x = builder.max_pool2d(builder.relu(x), (2, 2), (1, 1), "same")
    x = builder.conv2d(x, 12, (3, 3), (2, 1), activation=RELU, bits=6)
    return builder.build(builder.softmax(builder.dense(builder.dense(builder.mean(x), 11, RELU, 4), 7)))


def test_packed_activations_give_the_outputs_of_the_reference(tmp_path: Path) -> None:
    graph = narrowed(every_nest(), 2)
    plan = make_plan(graph.topology, graph.bitwidths, load_board("nucleo_l4r5zi").core.isa, 1)
    assert sum(choice.pieces is not None for choice in plan.choices.values()) >= 11
    codes = random_codes(graph, SAMPLES)
    assert (outputs(graph, plan, codes, tmp_path) == run(graph, codes).reshape(SAMPLES, -1)).all()
