"""QuantGraph to .tflite, and the runtimes that run it."""
