"""The pin that follows the timed region: its names, the registers that its driver writes, and that it costs nothing."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sq_micro.board import board_ids, load_board
from sq_micro.errors import UsageError
from sq_micro.measure.harness import measure
from sq_micro.measure.link.simulator_link import SimulatorLink
from sq_micro.measure.session import Session
from sq_micro.paths import project_files
from sq_micro.toolchain.pins import EdgePin, edge_pin
from tests.unit.measure.fake_firmware import MODEL_BYTES, NUCLEO, build_fake_firmware, missing

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

# All bits of a register are set at first, so that those are seen which a driver clears, too.
_MAIN = """
#include "hal/register.h"
#include "sqm/hal.h"
static struct { uint32_t address, value; } cells[8];
uint32_t *reach(uint32_t address)
{
    int i = 0;
    while (cells[i].address != address && cells[i].address != 0) ++i;
    if (cells[i].address == 0) cells[i].value = 0xFFFFFFFFu;
    cells[i].address = address;
    return &cells[i].value;
}
static void show(void)
{
    for (int i = 0; i < 8 && cells[i].address != 0; ++i) {
        printf("%x=%x ", cells[i].address, cells[i].value);
    }
    printf("\\n");
}
int main(void)
{
    sqm_edge_open();
    show();
    sqm_edge_begin();
    show();
    sqm_edge_end();
    show();
    return 0;
}
"""

Cells = dict[int, int]
ONES = 0xFFFF_FFFF
# Board and pin → registers behind `open`, and what differs from them in the timed region.
EXPECTED: dict[tuple[str, str], tuple[Cells, Cells]] = {
    ("nucleo_l4r5zi", "PC7"): (
        {0x4002_104C: ONES, 0x4800_0818: 1 << 7, 0x4800_0800: 0xFFFF_7FFF},
        {0x4800_0818: 1 << 23},
    ),
    ("stm32f4_discovery", "PD12"): (
        {0x4002_3830: ONES, 0x4002_0C18: 1 << 12, 0x4002_0C00: 0xFDFF_FFFF},
        {0x4002_0C18: 1 << 28},
    ),
    ("nucleo_f767zi", "PK0"): (
        {0x4002_3830: ONES, 0x4002_2818: 1, 0x4002_2800: 0xFFFF_FFFD},
        {0x4002_2818: 1 << 16},
    ),
    ("nucleo_h753zi", "PB0"): (
        {0x5802_44E0: ONES, 0x5802_0418: 1, 0x5802_0400: 0xFFFF_FFFD},
        {0x5802_0418: 1 << 16},
    ),
    ("nucleo_u575zi_q", "PF15"): (
        {0x4602_0C8C: ONES, 0x4202_1418: 1 << 15, 0x4202_1400: 0x7FFF_FFFF},
        {0x4202_1418: 1 << 31},
    ),
    ("nrf52840dk", "P0.13"): ({0x5000_0508: 1 << 13, 0x5000_0518: 1 << 13}, {0x5000_050C: 1 << 13}),
    ("nrf52840dk", "P1.02"): ({0x5000_0808: 1 << 2, 0x5000_0818: 1 << 2}, {0x5000_080C: 1 << 2}),
    ("rpi_pico", "GPIO15"): (
        {0xD000_0014: 1 << 15, 0xD000_0024: 1 << 15, 0x4001_407C: 5, 0x4001_C040: ONES},
        {0xD000_0018: 1 << 15},
    ),
    ("rpi_pico2", "GPIO15"): (
        {0xD000_0018: 1 << 15, 0xD000_0038: 1 << 15, 0x4002_807C: 5, 0x4003_8040: 0xFFFF_FEFF},
        {0xD000_0020: 1 << 15},
    ),
    ("hifive1_revb", "GPIO5"): (
        {0x1001_200C: ONES, 0x1001_2008: ONES, 0x1001_2038: 0xFFFF_FFDF},
        {0x1001_200C: 0xFFFF_FFDF},
    ),
    ("esp32c3_devkit", "GPIO4"): (
        {0x6000_4008: 1 << 4, 0x6000_4564: 128, 0x6000_4024: 1 << 4, 0x6000_9014: 0xFFFF_9FFF},
        {0x6000_400C: 1 << 4},
    ),
}


@pytest.mark.skipif(bool(missing("gcc")), reason="gcc is not installed")
@pytest.mark.parametrize(("board_id", "name"), EXPECTED)
def test_the_driver_moves_its_pin_alone(board_id: str, name: str, tmp_path: Path) -> None:
    board = load_board(board_id)
    pin = edge_pin(name, board)
    (tmp_path / "hal").mkdir()
    (tmp_path / "hal" / "register.h").write_text(_REGISTERS)
    (tmp_path / "main.c").write_text(_MAIN)
    firmware = project_files() / "firmware"
    # The driver is compiled from a copy: beside its own folder it would find the real registers first.
    (tmp_path / "driver.c").write_text((firmware / "hal" / f"edge_{pin.driver}.c").read_text())
    command = ["gcc", "-std=c11", f"-DSQM_EDGE_PORT={pin.port}", f"-DSQM_EDGE_PIN={pin.pin}", "-I."]
    command += [f"-I{firmware}/soc/{board.soc}", f"-I{firmware}/include", "main.c", "driver.c", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout.splitlines()
    opened, begun, ended = (
        {int(address, 16): int(value, 16) for address, value in (cell.split("=") for cell in line.split())}
        for line in said
    )
    at_open, in_region = EXPECTED[board_id, name]
    assert opened == at_open
    assert begun == {**at_open, **in_region}
    # Where one register sets and another clears, both keep what was written; else the value is the first again.
    assert ended == {**begun, **at_open}


def test_every_soc_with_a_driver_has_its_registers_checked() -> None:
    boards = [load_board(name) for name in board_ids()]
    with_pins = {board.soc for board in boards if not _refused(board.id)}
    assert with_pins == {load_board(board_id).soc for board_id, _ in EXPECTED}
    assert {board.soc for board in boards} - with_pins == {"mps2", "posix"}


def _refused(board_id: str) -> bool:
    try:
        edge_pin("PC7", load_board(board_id))
    except UsageError as error:
        return "no driver" in str(error)
    return False


def test_pins_are_named_as_in_the_data_sheet() -> None:
    nucleo = load_board("nucleo_l4r5zi")
    assert edge_pin("PC7", nucleo) == EdgePin("stm32_gpio", 2, 7)
    assert edge_pin("P1.02", load_board("nrf52840dk")) == EdgePin("nrf_gpio", 1, 2)
    assert edge_pin("GPIO29", load_board("rpi_pico2_riscv")) == EdgePin("rp2_gpio", 0, 29)
    for wrong in ("C7", "PC16", "PJ1", "pc7", "PC", "GPIO7"):
        with pytest.raises(UsageError, match=f"{wrong}: the pins of stm32l4r5 are PA0 to PA15, "):
            edge_pin(wrong, nucleo)
    with pytest.raises(UsageError, match="no driver for the pins of mps2"):
        edge_pin("PA1", load_board("mps2_an386"))


@pytest.mark.parametrize(("board_id", "name"), [("nucleo_l4r5zi", "PG7"), ("hifive1_revb", "GPIO17")])
def test_the_pins_of_the_uart_are_not_for_sale(board_id: str, name: str) -> None:
    with pytest.raises(UsageError, match="the UART has this pin"):
        edge_pin(name, load_board(board_id))


@pytest.mark.simulator
@pytest.mark.skipif(bool(missing("cmake", "ninja", "arm-none-eabi-gcc")), reason="arm-none-eabi-gcc is not installed")
@pytest.mark.skipif(importlib.util.find_spec("unicorn") is None, reason="unicorn is not installed")
def test_the_pin_costs_no_cycle_of_the_timed_region(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).integers(-128, 126, (1, MODEL_BYTES)).astype(np.int8)
    cycles = []
    for name, definitions in (("without", ()), ("with", ("-DSQM_EDGE=stm32_gpio", "-DSQM_EDGE_PORT=2"))):
        elf = build_fake_firmware(tmp_path / name, NUCLEO, definitions=definitions)
        with Session(SimulatorLink(elf, "nucleo_l4r5zi")) as session:
            cycles.append(measure(session, samples, runs=1).cycles)
    assert cycles[0] == cycles[1]
