"""Random networks whose first operators are convolutions, as patches take them."""

from __future__ import annotations

import numpy as np

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.ir.operators import Pad
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import ACTIVATIONS, RandomQuantGraph

_PADDINGS = ("same", "valid", Pad(1, 0, 0, 1), Pad(0, 1, 1, 1))


def convolutions_first(seed: int) -> QuantGraph:
    """Two to five convolutions of any window, stride, dilation and padding, then a classifier."""
    rng = np.random.default_rng(seed)
    size = (int(rng.integers(9, 20)), int(rng.integers(9, 20)), int(rng.integers(1, 5)))
    builder = RandomQuantGraph(seed, size)
    x = builder.input
    for index in range(int(rng.integers(2, 6))):
        bits = int(rng.choice(WEIGHT_BITS))
        activation = ACTIVATIONS[int(rng.integers(len(ACTIVATIONS)))]
        room = min(builder.shape(x)[1:3])
        window = (1, 1) if room < 5 else (int(rng.choice([1, 2, 3, 3])), int(rng.choice([1, 2, 3, 3])))
        strides = [(1, 1), (2, 2), (2, 1)] if room > 7 else [(1, 1)]
        stride = strides[int(rng.integers(len(strides)))]
        dilation = (2, 1) if stride == (1, 1) and room > 8 and rng.random() < 0.2 else (1, 1)
        padding = _PADDINGS[int(rng.integers(len(_PADDINGS)))] if window != (1, 1) else "same"
        if index and rng.random() < 0.5:
            window = (3, 3) if room > 4 and rng.random() < 0.7 else window
            x = builder.depthwise_conv2d(x, window, stride, dilation, padding, activation=activation, bits=bits)
        else:
            channels = int(rng.integers(2, 10))
            x = builder.conv2d(x, channels, window, stride, dilation, padding, activation=activation, bits=bits)
    return builder.build(builder.softmax(builder.dense(builder.mean(x), 4, bits=int(rng.choice(WEIGHT_BITS)))))
