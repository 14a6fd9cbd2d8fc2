"""What the paper fixes, as defaults, and what it leaves open, as choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SigmaNorm = Literal["range", "z-score", "raw"]
ScoreNorm = Literal["difference", "ratio", "none"]
Bins = Literal["relative", "absolute"]
Codes = Literal["narrow", "full"]
Quality = Literal["counted", "expected"]
BothMissed = Literal["decrease", "increase", "exchange"]
Keep = Literal["budgets", "distance"]


@dataclass(frozen=True, slots=True)
class SigmaQuantOptions:
    """Defaults are the paper's where it gives a value; "open" marks where it does not.

    bits            widths, one per cluster: K = 4
    penalty, penalty_step    lambda of equation 2: 0.1, and 0.1 more after each failed round
    rounds          of phase 1. Open (2, 1 to 3, at most 3 are mentioned): 3
    sigma_norm      open. `raw` sigmas of 1e-3 … 1e-1 vanish beside the size penalty, and clusters become quarters;
                    so sigmas are mapped to [0, 1] (`range`) or to mean 0 and deviation 1 (`z-score`)
    log_sigma       take logarithms first. Open: no
    relative_sigma  deviation of w / max|w| per channel in place of w. Open: no
    steps           of phase 2: at most 40
    layers          moved in one step: 2, each to the next of `bits`
    patience        steps without improvement before the best plan is restored. Open: 3
    quality_buffer  dA in points. Open: 2
    size_buffer     dM as a share of the budget that may be exceeded. The paper's 85, 75, 50 % are placeholders by its
                    own words. Open: 0.5
    bins            of the weight histogram. Open: `relative` puts each channel on [−1, 1]; `absolute` gives all layers
                    one common bin width, as the scale-dependent values of the paper's table I suggest
    bin_count       open: 2048
    codes           of the histogram's quantizer: `narrow` −(2^(b−1)−1) … 2^(b−1)−1 as min-max symmetric quantizers have
                    it, `full` with −2^(b−1) too. Open
    score_norm      D_b against the 8-bit D_8. A plain `ratio` is never below 1, yet scores are said to lie in [0, 1]:
                    `difference` is (D_b − D_8) / max_l (D_2 − D_8). Open
    sigma_score     multiply the score by the normalised sigma, as the prose says and the formulas do not. Open: no
    quality         accuracy `counted` with the labels of the calibration set, as in the paper, where it has some;
                    `expected` from the float network's probabilities, less noisy, and what is done without labels
    max_drop        points of accuracy against the float network, where the request names none: the paper's 1
    both_missed     what a step does when accuracy and budgets are both missed. Open: `decrease`, as budgets are hard;
                    `increase` puts accuracy first; `exchange` raises one layer and lowers one
    need_room       raise a layer only if the plan then still meets the budgets ("room left" in the paper's figure 2)
    keep            which plan is restored: among plans that meet the `budgets` the one of best quality, or the one with
                    the least `distance` to both targets in units of their buffers. Open
    """

    bits: tuple[int, ...] = (2, 4, 6, 8)
    penalty: float = 0.1
    penalty_step: float = 0.1
    rounds: int = 3
    sigma_norm: SigmaNorm = "range"
    log_sigma: bool = False
    relative_sigma: bool = False
    steps: int = 40
    layers: int = 2
    patience: int = 3
    quality_buffer: float = 2.0
    size_buffer: float = 0.5
    bins: Bins = "relative"
    bin_count: int = 2048
    codes: Codes = "narrow"
    score_norm: ScoreNorm = "difference"
    sigma_score: bool = False
    quality: Quality = "counted"
    max_drop: float = 1.0
    both_missed: BothMissed = "decrease"
    need_room: bool = True
    keep: Keep = "budgets"
