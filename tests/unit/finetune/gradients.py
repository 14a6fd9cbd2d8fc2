"""Run as a program, with KERAS_BACKEND=jax: what gradients the layers and the step have, as JSON."""

from __future__ import annotations

import json
from typing import Any

import jax
import numpy as np

from sq_micro.finetune.backend import keras
from sq_micro.finetune.layers import ChannelLevels, FakeQuantActivation, FakeQuantWeights
from sq_micro.finetune.network import FakeQuantNetwork
from sq_micro.finetune.objective import Head, Objective
from sq_micro.finetune.options import FinetuneOptions
from sq_micro.finetune.step import Stepper
from sq_micro.quant.params import ActivationParams, Levels
from tests.unit.finetune.small_networks import small_network


def activation_gradients() -> dict[str, Any]:
    """Of y(x, t) at points inside and on both sides of the range −1 … 1.984."""
    layer = FakeQuantActivation(ActivationParams(1 / 64, -64), True, "a")

    def value(x: Any, log_scale: Any) -> Any:
        with keras.StatelessScope(state_mapping=[(layer.log_scale, log_scale)]):
            return layer.call(x)

    points = np.array([-3.0, -0.3, 0.0, 0.613, 5.0], np.float32)
    by_x, by_scale = jax.vmap(jax.grad(value, argnums=(0, 1)), in_axes=(0, None))(points, np.float32(0))
    return {"x": by_x.tolist(), "log_scale": by_scale.tolist(), "points": points.tolist()}


def weight_gradients() -> dict[str, Any]:
    """Of the sum of a channel's weights, by latent and scale, for each codebook of 2 bits."""
    levels = np.array([Levels.TWOS, Levels.MIRRORED, Levels.ODD], np.int8)
    codes = np.array([[-2, 1], [2, -1], [3, -1]], np.int8)
    scale = np.array([0.5, 0.25, 2.0], np.float32)
    layer = FakeQuantWeights(codes, scale, np.zeros(3, np.float32), ChannelLevels.of(levels, 2, (-1, 1)), 10.0, "w")

    def value(latent: Any, log_scale: Any) -> Any:
        mapping = [(layer.latent, latent), (layer.log_scale, log_scale)]
        with keras.StatelessScope(state_mapping=mapping):
            return layer.call(np.float32(0.1))[0].sum()

    by_latent, by_scale = jax.grad(value, argnums=(0, 1))(layer.latent.value, layer.log_scale.value)
    return {"latent": by_latent.tolist(), "log_scale": by_scale.tolist(), "inside": layer.inside(9.0).tolist()}


def one_step() -> dict[str, Any]:
    """Which variables a step moves, and by how much at most, in their own units."""
    small = small_network()
    network = FakeQuantNetwork(small.integers, True)
    options = FinetuneOptions(learning_rate=0.01, scale_learning_rate=0.001)
    stepper = Stepper(network, Objective(Head.SOFTMAX, 0.5, 1.0), options, 1)
    topology, constants = small.graph.topology, small.graph.constants
    taught = {op.name: (constants[op.weights], constants[op.bias]) for op in topology.weighted()}
    before, state = stepper.variables(), stepper.optimizer_state()
    for _ in range(2):  # the first one only warms up
        after, state, loss = stepper.train(before, state, taught, small.x[:16], None)
    moved = [float(np.abs(np.asarray(b) - np.asarray(a)).max()) for b, a in zip(before, after, strict=True)]
    return {"moved": moved, "latents": len(network.weighted), "loss": float(loss)}


if __name__ == "__main__":
    print(json.dumps({"activation": activation_gradients(), "weights": weight_gradients(), "step": one_step()}))
