"""Which operator is the first to compute something else than it should: by stepping through the model on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sq_micro.errors import DeviceError, GoldenMismatchError, LinkError
from sq_micro.ir.bitwidths import stored_bytes
from sq_micro.measure.session import Session
from sq_micro.quant.params import Int8Array
from sq_micro.reference.golden_vectors import first_difference

_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class ExpectedOutput:
    """What an operator that is executed must leave at an offset of the arena; in execution order.

    codes  None where it never leaves all of it, because it runs in patches with those behind it
    bits   of a code in the arena: 8, or 4, two a byte
    """

    operator: str
    offset_bytes: int
    codes: Int8Array | None
    bits: int = 8

    def unpacked(self, stored: bytes) -> Int8Array:
        """The codes that an arena holds; the first of a byte is its lower half."""
        if self.bits == 8 or self.codes is None:
            return np.frombuffer(stored, np.int8)
        packed = np.frombuffer(stored, np.uint8)
        return np.stack([packed & 15, packed >> 4], axis=-1).astype(np.int8).ravel()[: self.codes.size]


def locate(session: Session, sample: bytes, expected: Sequence[ExpectedOutput]) -> GoldenMismatchError | None:
    """The first operator whose output differs on a sample, and where; None iff all are right, one by one.

    A board that was reset on the way has lost its place and says so; then the walk begins anew.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _walk(session, sample, expected)
        except DeviceError as error:
            if error.status != "OUT_OF_ORDER":
                raise
    raise LinkError(
        f"in {_ATTEMPTS} walks through the operators the device has lost its place each time; does the board restart?"
        " Look at its supply"
    )


def _walk(session: Session, sample: bytes, expected: Sequence[ExpectedOutput]) -> GoldenMismatchError | None:
    session.write_input(sample)
    for index, wanted in enumerate(expected):
        session.step(index)
        if wanted.codes is None:
            continue
        got = wanted.unpacked(session.read_arena(wanted.offset_bytes, stored_bytes(wanted.codes.size, wanted.bits)))
        if difference := first_difference(got, wanted.codes, wanted.operator):
            session.step(index)  # does nothing, unless a reset has put something else into the arena
            return difference
    return None
