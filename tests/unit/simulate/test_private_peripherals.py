from __future__ import annotations

import pytest

from sq_micro.simulate.private_peripherals import (
    CORES,
    CPUID,
    DEMCR,
    DWT_CTRL,
    DWT_CYCCNT,
    DWT_LAR,
    SYST_CSR,
    SYST_CVR,
    SYST_RVR,
    PrivatePeripherals,
)

TRCENA, CYCCNTENA = 1 << 24, 1


class Clock:
    cycles = 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def private(clock: Clock) -> PrivatePeripherals:
    return PrivatePeripherals(lambda: clock.cycles)


def switch_on(private: PrivatePeripherals) -> None:
    private.write(DEMCR, 4, TRCENA)
    private.write(DWT_CTRL, 4, private.read(DWT_CTRL, 4) | CYCCNTENA)


def test_the_counter_counts_from_when_it_is_switched_on(private: PrivatePeripherals, clock: Clock) -> None:
    switch_on(private)
    clock.cycles += 42
    assert private.read(DWT_CYCCNT, 4) == 42


@pytest.mark.parametrize(("register", "value"), [(DEMCR, TRCENA), (DWT_CTRL, CYCCNTENA)])
def test_one_switch_alone_does_not_start_it(
    private: PrivatePeripherals, clock: Clock, register: int, value: int
) -> None:
    private.write(register, 4, value)
    clock.cycles += 42
    assert private.read(DWT_CYCCNT, 4) == 0


def test_it_stands_while_it_is_switched_off(private: PrivatePeripherals, clock: Clock) -> None:
    switch_on(private)
    clock.cycles += 5
    private.write(DWT_CTRL, 4, 0)
    clock.cycles += 100
    assert private.read(DWT_CYCCNT, 4) == 5
    private.write(DWT_CTRL, 4, CYCCNTENA)
    clock.cycles += 2
    assert private.read(DWT_CYCCNT, 4) == 7


def test_it_can_be_set_and_wraps_at_32_bits(private: PrivatePeripherals, clock: Clock) -> None:
    switch_on(private)
    private.write(DWT_CYCCNT, 4, 0xFFFF_FFFF)
    clock.cycles += 3
    assert private.read(DWT_CYCCNT, 4) == 2


def test_registers_of_the_core(private: PrivatePeripherals) -> None:
    assert private.read(CPUID, 4) == 0x410F_C241
    private.write(CPUID, 4, 0)
    assert private.read(CPUID, 4) == 0x410F_C241
    assert private.read(DWT_CTRL, 4) >> 28 == 4
    private.write(0xE000_ED08, 4, 0x0800_0000)  # VTOR
    assert private.read(0xE000_ED08, 4) == 0x0800_0000


def test_systick_counts_down_and_wraps(private: PrivatePeripherals, clock: Clock) -> None:
    private.write(SYST_RVR, 4, 99)
    assert private.read(SYST_CVR, 4) == 0, "it stands still until it is switched on"
    private.write(SYST_CSR, 4, 0b101)
    seen = []
    for step in (0, 1, 98, 1, 1):
        clock.cycles += step
        seen.append(private.read(SYST_CVR, 4))
    assert seen == [0, 99, 1, 0, 99]
    clock.cycles += 30
    private.write(SYST_CVR, 4, 12345)
    assert private.read(SYST_CVR, 4) == 0, "any write clears it"
    private.write(SYST_CSR, 4, 0)
    clock.cycles += 30
    assert private.read(SYST_CVR, 4) == 0


def test_armv6m_has_no_counter_in_dwt(clock: Clock) -> None:
    private = PrivatePeripherals(lambda: clock.cycles, CORES["cortex-m0+"])
    switch_on(private)
    clock.cycles += 50
    assert private.read(DWT_CYCCNT, 4) == 0
    assert private.read(CPUID, 4) >> 4 & 0xFFF == 0xC60


@pytest.mark.parametrize(
    ("core", "key", "counted"),
    [
        ("cortex-m7", None, 0),
        ("cortex-m7", 0x1234_5678, 0),
        ("cortex-m7", 0xC5AC_CE55, 50),
        ("cortex-m4", 0x1234_5678, 50),
        ("cortex-m0+", 0xC5AC_CE55, 0),
    ],
)
def test_the_counter_of_a_cortex_m7_stands_until_its_lock_is_opened(
    clock: Clock, core: str, key: int | None, counted: int
) -> None:
    private = PrivatePeripherals(lambda: clock.cycles, CORES[core])
    if key is not None:
        private.write(DWT_LAR, 4, key)
    switch_on(private)
    clock.cycles += 50
    assert private.read(DWT_CYCCNT, 4) == counted
