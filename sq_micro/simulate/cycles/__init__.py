"""Cycles of a core: tables as data, one TOML file a core, and the model that applies them to counts of blocks."""
