"""Watchdogs that boot code leaves running are stopped, each behind its key."""

from __future__ import annotations

import pytest

from sq_micro.board import load_board
from tests.boards.images import image, skip_without
from tests.boards.register_writes import writes_of_one_inference

pytestmark = [pytest.mark.simulator, pytest.mark.xdist_group("boards")]

# ESP32-C3, from ESP-IDF's rtc_cntl_reg.h and timer_group_reg.h. Without WDT_CONF_UPDATE_EN (bit 22) the main watchdog
# stays in flash boot mode, and resets the chip within seconds.
WRITES = [
    (0x6000_80A8, 0x50D8_3AA1),
    (0x6000_8090, 0),
    (0x6000_80A8, 0),
    (0x6001_F064, 0x50D8_3AA1),
    (0x6001_F048, 1 << 22),
    (0x6001_F064, 0),
    (0x6000_80B0, 0x8F1D_312A),
    (0x6000_80AC, 1 << 31),
    (0x6000_80B0, 0),
]


def test_the_esp32c3_stops_what_its_boot_rom_started() -> None:
    skip_without("simulator", load_board("esp32c3_devkit"))
    written, _ = writes_of_one_inference(image("esp32c3_devkit", "auto").elf, "esp32c3_devkit")
    assert [(address, value) for _, address, value in written][: len(WRITES)] == WRITES
