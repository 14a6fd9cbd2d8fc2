"""kernels.def as Python reads it."""

from __future__ import annotations

import pytest

from sq_micro.ir.bitwidths import WEIGHT_BITS
from sq_micro.kernels.catalogue import catalogue, find, parse

LINE = "SQM_KERNEL(dot,    s8, w4, 1x1, c, 1, linear)\n"


def test_every_width_has_the_kernels_that_selection_asks_for() -> None:
    names = {variant.name for variant in catalogue()}
    for bits in WEIGHT_BITS:
        assert f"sqm_dot_s8_w{bits}_1x1__c" in names
        assert f"sqm_pick_s8_w{bits}_1x1__c" in names
        assert bits == 8 or {f"sqm_unpack_s8_w{bits}_1x1__c", f"sqm_pairs_s8_w{bits}_1x4__c"} <= names
    assert "sqm_dot_s8_w8_1x4__c" in names
    assert len(names) == len(catalogue())
    assert sum(variant.isa == "c" for variant in catalogue()) == 23


def test_an_entry_is_read_with_all_its_fields() -> None:
    (variant,) = parse(f"/* a comment with\nSQM_KERNEL(x, y)\n*/\n#if SQM_ISA_DSP\n{LINE}#endif\n")
    assert (variant.microkernel, variant.act, variant.wgt, variant.tile) == ("dot", "s8", "w4", "1x1")
    assert (variant.isa, variant.k_multiple, variant.layout) == ("c", 1, "linear")


@pytest.mark.parametrize(
    "line",
    [
        "SQM_KERNEL(dot, s8, w4, 1x1, c, 1)",
        "SQM_KERNEL(dot, s8, w4, 1x1, c, one, linear)",
        "SQM_KERNEL(dot, s8, w4, 1x1, c, 1, linear) SQM_KERNEL(dot, s8, w3, 1x1, c, 1, linear)",
        "SQM_KERNELS(dot, s8, w4, 1x1, c, 1, linear)",
        " SQM_KERNEL(dot, s8, w4, 1x1, c, 1, linear)",
    ],
)
def test_a_malformed_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"kernels\.def:4: .* is not SQM_KERNEL\("):
        parse(f"/* two\nlines */\n{LINE}{line}\n")


def test_a_repeated_kernel_is_named() -> None:
    with pytest.raises(ValueError, match=r"kernels\.def:2: sqm_dot_s8_w4_1x1__c is listed twice"):
        parse(LINE + LINE)


def test_an_unlisted_kernel_is_not_found() -> None:
    with pytest.raises(KeyError, match="no unpack w8 1x1 for c"):
        find("unpack", 8, "1x1")
