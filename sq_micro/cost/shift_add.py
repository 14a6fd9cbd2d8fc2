"""An analytic accelerator in place of a board: a bit-serial multiplier, whose time and energy follow the weights' bits.

SigmaQuant (arXiv 2602.22136, section 8) compares a shift-add MAC, 8-bit activations times n-bit weights, zeros skipped,
with an 8-bit multiplier: 28 nm, 0.9 V, 600 MHz, one MAC after synthesis. What it publishes, and what is made of it:

    time     A8W8 takes 4.2 times an 8-bit MAC, about n/2 cycles in general        cycles = 4.2 · n/8
    energy   A8W2 takes 25.0 % less than an 8-bit MAC, A8W4 13.8 % less            the line through both

so 8 bits cost 8.6 % more energy, and 6 bits 2.6 % less: extrapolated, not published. The MAC's own joules are not
published either; as the unit stands an 8-bit multiply and 32-bit add of 45 nm at 0.9 V, 0.2 and 0.1 pJ (Horowitz, ISSCC
2014). So joules of different widths compare, and joules of boards and of this model do not. MACs alone are counted: no
memory, no control, no operator without weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from sq_micro.ir.operators import Operator
from sq_micro.ir.topology import Topology, macs

_BITS_OF_8_BIT_MAC = 8


@dataclass(frozen=True, slots=True)
class ShiftAddAccelerator:
    """cycles_at_8_bits of one MAC; relative_energy at two widths, of an 8-bit MAC that takes int8_mac_j joules."""

    id: str = "shift_add"
    clock_hz: float = 600e6
    cycles_at_8_bits: float = 4.2
    relative_energy: tuple[tuple[int, float], tuple[int, float]] = ((2, 1 - 0.250), (4, 1 - 0.138))
    int8_mac_j: float = 0.3e-12

    def seconds_per_mac(self, bits: int) -> float:
        return self.cycles_at_8_bits * bits / _BITS_OF_8_BIT_MAC / self.clock_hz

    def joules_per_mac(self, bits: int) -> float:
        (low, at_low), (high, at_high) = self.relative_energy
        relative = at_low + (bits - low) * (at_high - at_low) / (high - low)
        return relative * self.int8_mac_j

    def latency_s(self, operator: Operator, topology: Topology, bits: int) -> float:
        """One inference's MACs of an operator, one after another."""
        return macs(operator, topology) * self.seconds_per_mac(bits)

    def energy_j(self, operator: Operator, topology: Topology, bits: int) -> float:
        """The same in joules."""
        return macs(operator, topology) * self.joules_per_mac(bits)


SHIFT_ADD = ShiftAddAccelerator()
