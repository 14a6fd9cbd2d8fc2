"""A .tflite model → FloatGraph, with its integers where it is an int8 model. `load.load_tflite` is its door."""
