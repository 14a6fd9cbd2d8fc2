"""Tiles of output pixels: small ones let an output follow its input closely, large ones decode weights less often.

A convolution of `firmware/kernels/operators/conv2d.h` goes through all output channels of one tile before the
next tile begins. Weights below 8 bits are decoded anew for every tile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Shares of an operator's own time that memory may cost. The first is taken without being asked for: it is about what
# the cycle model errs. The others are for arenas that would not fit otherwise.
LOSSES = (0.02, 0.05, 0.1, 0.3, 1.0, 4.0)


@dataclass(frozen=True, slots=True)
class TilingCosts:
    """Cycles of a nest on a Cortex-M4, fitted to modelled runs: by them tilings are compared, a plan is measured.

    decoded_weight  by width
    """

    mac: float
    output: float
    tile_and_block: float
    decoded_weight: Mapping[int, float]


PORTABLE_COSTS = TilingCosts(2.5, 59.0, 55.0, {8: 0.0, 6: 9.7, 5: 9.7, 4: 6.5, 3: 9.7, 2: 6.5})
DSP_COSTS = TilingCosts(1.0, 16.0, 92.0, {8: 0.0, 6: 2.9, 5: 2.5, 4: 1.3, 3: 2.4, 2: 0.9})


@dataclass(frozen=True, slots=True)
class Tiling:
    """Rows and columns of a tile in output pixels; whole rows unless it is one row high."""

    height: int
    width: int

    @property
    def pixels(self) -> int:
        """Output pixels of a whole tile."""
        return self.height * self.width

    def starts(self, image: tuple[int, int]) -> NDArray[np.int64]:
        """First pixel of each tile in an output of (height, width), and the number of pixels."""
        rows, columns = image
        if self.width == columns:
            begins = np.arange(0, rows, self.height) * columns
        else:
            begins = (np.arange(rows)[:, None] * columns + np.arange(0, columns, self.width)).reshape(-1)
        return np.append(begins, rows * columns).astype(np.int64)

    def tiles(self, image: tuple[int, int]) -> int:
        """How many there are."""
        return -(-image[0] // self.height) * -(-image[1] // self.width)


def tilings(image: tuple[int, int]) -> tuple[Tiling, ...]:
    """From one tile for the whole output to single pixels, each kind of split once."""
    rows, columns = image
    heights = sorted({-(-rows // parts) for parts in range(1, rows + 1)}, reverse=True)
    widths = sorted({-(-columns // parts) for parts in range(2, columns + 1)}, reverse=True)
    return tuple(Tiling(height, columns) for height in heights) + tuple(Tiling(1, width) for width in widths)


def tiling_loss(
    costs: TilingCosts, bits: int, tiles: int, fewest: int, pixels: int, channels: int, blocks: int, taps: int
) -> float:
    """Share of a convolution's time that `tiles` tiles cost beyond the fewest that there can be; modelled.

    bits    of the weights
    blocks  of output channels
    taps    weights of a channel
    """
    per_tile = blocks * costs.tile_and_block + channels * taps * costs.decoded_weight[bits]
    return (tiles - fewest) * per_tile / (pixels * channels * (taps * costs.mac + costs.output) + fewest * per_tile)
