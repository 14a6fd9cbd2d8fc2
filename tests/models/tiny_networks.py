"""The shapes of MLPerf Tiny's networks, with random weights. Residual network: `random_quant_graph.resnet8`."""

from __future__ import annotations

from sq_micro.ir.operators import RELU
from sq_micro.quant.graph import QuantGraph
from tests.models.random_quant_graph import RandomQuantGraph


def mobilenet_v1_quarter(bits: int = 8) -> QuantGraph:
    """Person detection: MobileNetV1 of width 0.25 on 96x96x3, two classes."""
    builder = RandomQuantGraph(0, (96, 96, 3))
    x = builder.conv2d(builder.input, 8, stride=(2, 2), activation=RELU, bits=bits)
    blocks = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2), (256, 1))
    for channels, step in blocks:
        x = builder.depthwise_conv2d(x, stride=(step, step), activation=RELU, bits=bits)
        x = builder.conv2d(x, channels, (1, 1), activation=RELU, bits=bits)
    x = builder.average_pool2d(x, (3, 3), (3, 3))
    x = builder.reshape(x, (256,))
    return builder.build(builder.softmax(builder.dense(x, 2, bits=bits)))


def ds_cnn(bits: int = 8) -> QuantGraph:
    """Keyword spotting: DS-CNN on 49x10, twelve classes."""
    builder = RandomQuantGraph(0, (49, 10, 1))
    x = builder.conv2d(builder.input, 64, (10, 4), (2, 2), activation=RELU, bits=bits)
    for _ in range(4):
        x = builder.depthwise_conv2d(x, activation=RELU, bits=bits)
        x = builder.conv2d(x, 64, (1, 1), activation=RELU, bits=bits)
    x = builder.average_pool2d(x, (25, 5), (25, 5))
    x = builder.reshape(x, (64,))
    return builder.build(builder.softmax(builder.dense(x, 12, bits=bits)))


def autoencoder(bits: int = 8) -> QuantGraph:
    """Anomaly detection: 640, four times 128, 8, four times 128, 640."""
    builder = RandomQuantGraph(0, (640,))
    x = builder.input
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = builder.dense(x, units, RELU, bits=bits)
    return builder.build(builder.dense(x, 640, bits=bits))
