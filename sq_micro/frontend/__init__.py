"""Keras model file → FloatGraph. The only room that may import keras; `keras_model.load_keras` is its door."""
