"""What images say of functions that operators share."""

from __future__ import annotations

from sq_micro.stages.characterise import ImageFigures, _with_equal_sizes


def image(bits: int, pick: int) -> ImageFigures:
    calls = ({"pick": pick, "nest": 900}, {}, {"pick": pick})
    return ImageFigures(bits, "small", None, (1, 2, 3), calls, 100, None, 10, 400)


def test_a_function_has_its_largest_size_in_all_images() -> None:
    """Else an exact sum and the integer program, which knows one size a function, would disagree."""
    found = _with_equal_sizes([image(8, 64), image(4, 68), image(3, 66)])
    assert [one.bits for one in found] == [8, 4, 3]
    assert all(one.calls == ({"pick": 68, "nest": 900}, {}, {"pick": 68}) for one in found)
