"""How damages combine: what two operators do together at their narrowest width, beyond the sum of what each does alone.

    I(a, b) = D(a, b) − D(a) − D(b) + D(none)        D the divergence of a plan that was tried, all others at 8 bits

The second-order terms of CLADO (arXiv 2307.05657), but with weights that are rounded anew in each plan: an operator is
rounded on what those before it give, and makes up for part of their errors, so most terms are negative.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from sq_micro.assign.damage import BASE_BITS
from sq_micro.assign.problem import Evaluate
from sq_micro.assign.sensitivity import Sensitivity
from sq_micro.ir.bitwidths import Bitwidths


def with_interactions(sensitivity: Sensitivity, evaluate: Evaluate) -> Sensitivity:
    """The table with pairwise terms: N (N + 1) / 2 + 1 plans are tried for N operators."""
    names, narrowest = sensitivity.operators, sensitivity.bits[0]
    sets: list[tuple[str, ...]] = [(), *((name,) for name in names), *combinations(names, 2)]
    plans = [Bitwidths({name: narrowest if name in narrow else BASE_BITS for name in names}) for narrow in sets]
    found = dict(zip(sets, (evaluation.divergence for evaluation in evaluate(plans)), strict=True))
    terms = np.zeros((len(names), len(names)))
    for (i, a), (j, b) in combinations(enumerate(names), 2):
        terms[i, j] = terms[j, i] = found[a, b] - found[a,] - found[b,] + found[()]
    return replace(sensitivity, pairwise=terms)
