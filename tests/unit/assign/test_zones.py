"""The plane of quality and size."""

from __future__ import annotations

import pytest

from sq_micro.assign.sigmaquant.options import SigmaQuantOptions
from sq_micro.assign.sigmaquant.zones import Position, Zone

OPTIONS = SigmaQuantOptions(quality_buffer=2.0, size_buffer=0.5)


@pytest.mark.parametrize(
    ("excess_drop", "load", "zone"),
    [
        (0.0, 1.0, Zone.TARGET),
        (-3.0, 0.2, Zone.TARGET),
        (1.9, 1.0, Zone.ITERATION),  # size met, quality inside its buffer
        (0.0, 1.4, Zone.ITERATION),  # quality met, size inside its buffer
        (2.1, 0.9, Zone.BIT_INCREASE),
        (-1.0, 1.6, Zone.BIT_DECREASE),
        (1.0, 1.2, Zone.TRANSITION),
        (1.0, 9.0, Zone.TRANSITION),
        (9.0, 1.2, Zone.TRANSITION),
        (2.1, 1.6, Zone.ABANDON),
    ],
)
def test_every_zone(excess_drop: float, load: float, zone: Zone) -> None:
    assert Position(excess_drop, load).zone(OPTIONS) is zone


def test_distance_is_in_buffers_and_zero_in_the_target() -> None:
    assert Position(-1, 0.5).distance(OPTIONS) == 0
    assert Position(1.0, 1.25).distance(OPTIONS) == pytest.approx(0.5 + 0.5)
