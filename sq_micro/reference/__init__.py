"""The bit-exact NumPy interpreter: QuantGraph and input codes to output codes."""
