"""What all pictures share: matplotlib is an extra, and equal pictures are equal files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from sq_micro.errors import ToolchainError
from sq_micro.paths import write_atomically

Figure = Any  # matplotlib's; it has no types here


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """An empty figure that lays itself out. Raises ToolchainError iff matplotlib is missing."""
    try:
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise ToolchainError("plots need: pip install 'sq-micro[plots]'") from error
    return Canvas(figsize=(width_inches, height_inches), layout="constrained")


def save_svg(figure: Figure, file: Path) -> None:
    """Without a date and with fixed ids, so that equal figures give equal files; written whole or not at all."""
    import matplotlib as mpl

    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "sq-micro"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    write_atomically(file, text.getvalue())
