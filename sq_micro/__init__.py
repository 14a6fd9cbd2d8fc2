"""sq-micro: TFLite Micro deployment with its own bitwidth for every layer."""

__version__ = "0.1.0"
