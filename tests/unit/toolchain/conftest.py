from __future__ import annotations

import pytest

from sq_micro.board import load_board
from sq_micro.toolchain.firmware import Firmware, build
from tests.golden.codegen.models import mixed
from tests.unit.codegen.generated_program import missing
from tests.unit.toolchain.images import NUCLEO, request_for


@pytest.fixture(scope="session")
def nucleo_firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    """The mixed model for the NUCLEO, built by gcc."""
    if absent := missing("arm-none-eabi-gcc", "cmake", "ninja"):
        pytest.skip(f"not installed: {absent}")
    return build(request_for(mixed(), tmp_path_factory.mktemp("nucleo"), load_board(NUCLEO), "gcc"))
