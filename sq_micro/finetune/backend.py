"""Keras for this room. The child has chosen JAX before it comes here; elsewhere NumPy, as the front end chooses."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "numpy")

import keras
from keras import ops

__all__ = ["keras", "ops"]
