"""What images say of functions that operators share."""

from __future__ import annotations

from sq_micro.stages.characterise import _with_equal_sizes
from sq_micro.stages.network_image import ImageFigures


def image(bits: int, pick: int) -> ImageFigures:
    calls = ({"pick": pick, "nest": 900}, {}, {"pick": pick})
    return ImageFigures(bits, "small", None, (1, 2, 3), calls, (400, 300, 400), 100, None, 10, 400, 200)


def test_figures_are_read_as_they_were_written() -> None:
    one = image(4, 68)
    assert ImageFigures.of_bytes(one.to_bytes()) == one


def test_a_function_has_its_largest_size_in_all_images() -> None:
    """Else an exact sum and the integer program, which knows one size a function, would disagree."""
    found = _with_equal_sizes([image(8, 64), image(4, 68), image(3, 66)])
    assert [one.bits for one in found] == [8, 4, 3]
    assert all(one.calls == ({"pick": 68, "nest": 900}, {}, {"pick": 68}) for one in found)
