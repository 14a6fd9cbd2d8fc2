"""The pin that follows the timed region: which registers its driver writes, and that it costs no cycle."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sq_micro.board import load_board
from sq_micro.errors import UsageError
from sq_micro.measure.harness import measure
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from sq_micro.paths import project_files
from sq_micro.toolchain.variant import EdgePin, edge_pin
from tests.unit.measure.fake_firmware import MODEL_BYTES, NUCLEO, build_fake_firmware, missing

NUCLEO_BOARD = load_board("nucleo_l4r5zi")

_REGISTERS = """
#include <stdint.h>
#include <stdio.h>
uint32_t *reach(uint32_t address);
#define SQM_REGISTER(address) (*reach(address))
static inline void sqm_register_change(uint32_t address, uint32_t mask, uint32_t value)
{
    *reach(address) = (*reach(address) & ~mask) | value;
}
static inline void sqm_register_enable(uint32_t address, uint32_t bits)
{
    sqm_register_change(address, bits, bits);
}
"""

_MAIN = """
#include "hal/register.h"
#include "sqm/hal.h"
static struct { uint32_t address, value; } cells[8];
uint32_t *reach(uint32_t address)
{
    int i = 0;
    while (cells[i].address != address && cells[i].address != 0) ++i;
    cells[i].address = address;
    return &cells[i].value;
}
static void show(const char *when)
{
    printf("%s", when);
    for (int i = 0; i < 8 && cells[i].address != 0; ++i) {
        printf(" %08x=%08x", cells[i].address, cells[i].value);
    }
    printf("\\n");
}
int main(void)
{
    *reach(0x48000800u) = 0xFFFFFFFFu; /* after a reset all pins of port C are analog */
    sqm_edge_open();
    show("open");
    sqm_edge_begin();
    show("begin");
    sqm_edge_end();
    show("end");
    return 0;
}
"""


@pytest.mark.skipif(bool(missing("gcc")), reason="gcc is not installed")
def test_the_driver_moves_its_pin_alone(tmp_path: Path) -> None:
    (tmp_path / "hal").mkdir()
    (tmp_path / "hal" / "register.h").write_text(_REGISTERS)
    (tmp_path / "main.c").write_text(_MAIN)
    firmware = project_files() / "firmware"
    # The driver is compiled from a copy: beside its own folder it would find the real registers first.
    (tmp_path / "driver.c").write_text((firmware / "hal" / "edge_stm32l4_gpio.c").read_text())
    command = ["gcc", "-std=c11", "-DSQM_EDGE_PORT=2", "-DSQM_EDGE_PIN=7", "-I.", f"-I{firmware}/include"]
    subprocess.run([*command, "main.c", "driver.c", "-o", "main"], cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout.splitlines()
    opened, begun, ended = (dict(cell.split("=") for cell in line.split()[1:]) for line in said)
    mode, set_reset, clocks = "48000800", "48000818", "4002104c"
    assert opened == {mode: "ffff7fff", set_reset: "00000080", clocks: "00000004"}, "output, high, clocked"
    assert begun == {**opened, set_reset: "00800000"}
    assert ended == opened


def test_pins_are_named_as_in_the_data_sheet() -> None:
    assert edge_pin("PC7", NUCLEO_BOARD) == EdgePin("stm32l4_gpio", 2, 7)
    for wrong in ("C7", "PC16", "PJ1", "pc7", "PC"):
        with pytest.raises(UsageError, match="a pin is named as PC7"):
            edge_pin(wrong, NUCLEO_BOARD)
    with pytest.raises(UsageError, match="no driver for the pins of mps2"):
        edge_pin("PA1", load_board("mps2_an386"))


@pytest.mark.simulator
@pytest.mark.skipif(bool(missing("cmake", "ninja", "arm-none-eabi-gcc")), reason="arm-none-eabi-gcc is not installed")
@pytest.mark.skipif(importlib.util.find_spec("unicorn") is None, reason="unicorn is not installed")
def test_the_pin_costs_no_cycle_of_the_timed_region(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).integers(-128, 126, (1, MODEL_BYTES)).astype(np.int8)
    cycles = []
    for name, definitions in (("without", ()), ("with", ("-DSQM_EDGE=stm32l4_gpio", "-DSQM_EDGE_PORT=2"))):
        elf = build_fake_firmware(tmp_path / name, NUCLEO, definitions=definitions)
        with Session(SimulatorLink(elf, "nucleo_l4r5zi")) as session:
            cycles.append(measure(session, samples, runs=1).cycles)
    assert cycles[0] == cycles[1]
