"""sq-micro: TFLite Micro deployment with its own bitwidth for every layer.

`sq_micro.deploy(…)` goes from a trained model to a measured image; `sq_micro.api` has each stage as a function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sq_micro.api import Deployment, deploy

__version__ = "0.1.0"
__all__ = ["Deployment", "__version__", "deploy"]


def __getattr__(name: str) -> Any:
    """Import the interface when it is first asked for: the command line's help must not wait for NumPy."""
    if name in ("Deployment", "deploy"):
        from sq_micro import api

        return getattr(api, name)
    raise AttributeError(f"module 'sq_micro' has no attribute '{name}'")
