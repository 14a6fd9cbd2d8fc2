"""What each flasher is told, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from sq_micro.board import Esptool, Flasher, MassStorage, OpenOcd, PyOcd, Uf2
from sq_micro.measure.flash.plan import Place, make_plan

ELF = Path("out/firmware.elf")
FOLDER = Path("out")


@pytest.mark.parametrize(
    ("flasher", "place", "printed"),
    [
        (
            OpenOcd("openocd", "board/st_nucleo_l4.cfg", "a source"),
            Place("openocd", FOLDER, probe="066BFF"),
            "openocd -f board/st_nucleo_l4.cfg -c 'adapter serial 066BFF'"
            " -c 'program {out/firmware.elf} verify reset exit'",
        ),
        (
            PyOcd("pyocd", "stm32l4r5zitx", "a source"),
            Place("pyocd", FOLDER, probe="066BFF"),
            "pyocd load --target stm32l4r5zitx --uid 066BFF --no-wait --format elf out/firmware.elf",
        ),
        (
            Esptool("esptool", "esp32c3", 0x0, "a source"),
            Place("esptool", FOLDER, port="/dev/ttyACM0"),
            "esptool --chip esp32c3 elf2image --output out/firmware.bin out/firmware.elf\n"
            "esptool --chip esp32c3 --port /dev/ttyACM0 write_flash 0x0 out/firmware.bin",
        ),
        (
            Uf2("uf2", 0xE48B_FF56, "RPI-RP2", "a source"),
            Place("", FOLDER, volume=Path("/media/me/RPI-RP2")),
            "# out/firmware.elf as uf2 of family 0xe48bff56: out/firmware.uf2\ncp out/firmware.uf2 /media/me/RPI-RP2",
        ),
        (
            MassStorage("mass_storage", "NODE_L4R5ZI", "a source"),
            Place("", FOLDER, volume=Path("/media/me/NODE_L4R5ZI")),
            "# out/firmware.elf as bin: out/firmware.bin\ncp out/firmware.bin /media/me/NODE_L4R5ZI",
        ),
    ],
)
def test_a_plan_prints_as_one_would_type_it(flasher: Flasher, place: Place, printed: str) -> None:
    assert str(make_plan(flasher, ELF, place)) == printed


def test_what_is_not_known_yet_is_a_word_in_capitals() -> None:
    nowhere = Place("", FOLDER)
    assert str(make_plan(Esptool("esptool", "esp32c3", 0, "a source"), ELF, nowhere)).count("--port PORT") == 1
    assert str(make_plan(Uf2("uf2", 1, "rpi-rp2", "a source"), ELF, nowhere)).endswith(" RPI-RP2")
    assert "adapter serial" not in str(make_plan(OpenOcd("openocd", "a.cfg", "a source"), ELF, nowhere))
    assert "--uid" not in str(make_plan(PyOcd("pyocd", "a", "a source"), ELF, nowhere))


def test_a_path_with_a_space_stays_one_word() -> None:
    elf = Path("my out/firmware.elf")
    plan = make_plan(OpenOcd("openocd", "a.cfg", "a source"), elf, Place("openocd", FOLDER))
    assert "-c 'program {my out/firmware.elf} verify reset exit'" in str(plan)
