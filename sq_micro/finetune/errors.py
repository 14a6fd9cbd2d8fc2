"""The error of this room."""

from __future__ import annotations

from sq_micro.errors import SqMicroError


class TrainingError(SqMicroError):
    """Fine-tuning ended without a result; what it had reached is in its folder."""

    exit_code = 4
