from __future__ import annotations

import struct
from pathlib import Path

import pytest

from sq_micro.errors import ToolchainError
from sq_micro.simulate import counter_csrs
from sq_micro.simulate.counter_csrs import CounterCsrs, replacements
from sq_micro.simulate.image import Image, Segment

ORIGIN = 0x2001_0000


def image_of(*words: int) -> Image:
    code = struct.pack(f"<{len(words)}I", *words)
    segments = (Segment(ORIGIN, code),)
    return Image(Path("f.elf"), "riscv", segments, {"f": ORIGIN}, ((ORIGIN, len(code)),), ((ORIGIN, "f"),))


class Clock:
    cycles = 1000


def test_reads_become_loads_and_writes_stores_at_the_end_of_the_address_space() -> None:
    csrr_a0_mcycle, csrw_mcountinhibit_zero, csrw_7e1_a1 = 0xB0002573, 0x32001073, 0x7E159073
    nop, csrw_mtvec_t0 = 0x00000013, 0x30529073
    found = dict(replacements(image_of(nop, csrr_a0_mcycle, csrw_mtvec_t0, csrw_mcountinhibit_zero, csrw_7e1_a1)))
    assert found == {
        ORIGIN + 4: struct.pack("<I", 0xF0002503),  # lw a0, -256(zero)
        ORIGIN + 12: struct.pack("<I", 0xF0002423),  # sw zero, -248(zero)
        ORIGIN + 16: struct.pack("<I", 0xF0B02823),  # sw a1, -240(zero)
    }


def test_compressed_instructions_are_stepped_over() -> None:
    # c.nop twice, then csrr a0, mcycle: its bytes begin in the middle of a word of the one before
    assert list(dict(replacements(image_of(0x00010001, 0xB0002573)))) == [ORIGIN + 4]


def test_a_read_that_also_writes_is_refused() -> None:
    with pytest.raises(ToolchainError, match=r"f\+0x0 .*cannot read and change counter CSR 0xb00"):
        list(replacements(image_of(0xB0059573)))  # csrrw a0, mcycle, a1


def test_the_counter_counts_cycles_and_can_be_set_and_stopped() -> None:
    clock = Clock()
    csrs = CounterCsrs(lambda: clock.cycles)
    mcycle, mcycleh, inhibit = 0xFFFF_FF00, 0xFFFF_FF04, 0xFFFF_FF08
    assert csrs.read(mcycle) == 1000
    csrs.write(mcycle, 5)
    clock.cycles += 7
    assert csrs.read(mcycle) == 12
    csrs.write(inhibit, 1)
    clock.cycles += 100
    assert csrs.read(mcycle) == 12
    csrs.write(inhibit, 0)
    clock.cycles += 1 << 32
    assert (csrs.read(mcycle), csrs.read(mcycleh)) == (12, 1)
    assert counter_csrs.is_counter(mcycle)
    assert not counter_csrs.is_counter(mcycleh)


def test_esp32c3_switches_its_counter_on_the_other_way_round() -> None:
    clock = Clock()
    csrs = CounterCsrs(lambda: clock.cycles)
    mode, count = 0xFFFF_FF10, 0xFFFF_FF14
    csrs.write(mode, 0)
    csrs.write(count, 0)
    clock.cycles += 9
    assert csrs.read(count) == 0
    csrs.write(mode, 1)
    clock.cycles += 9
    assert csrs.read(count) == 9
