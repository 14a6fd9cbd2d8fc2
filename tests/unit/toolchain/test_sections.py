"""The footprint is what the ELF says, split by purpose."""

from __future__ import annotations

import csv
import io
import re

from sq_micro.plan.plan import make_plan
from sq_micro.toolchain.firmware import Firmware
from sq_micro.toolchain.sections import read_footprint
from tests.golden.codegen.models import mixed
from tests.unit.codegen.generated_program import ran


def test_flash_and_sram_add_up_to_what_size_says(nucleo_firmware: Firmware) -> None:
    footprint = nucleo_firmware.footprint
    said = ran("arm-none-eabi-size", nucleo_firmware.elf).decode().splitlines()[1].split()
    text, data, bss = (int(word) for word in said[:3])
    assert footprint.flash_bytes == text + data, "initial values of variables lie in flash"
    assert footprint.sram_bytes == data + bss, "the stack is in bss"


def test_sections_are_those_of_the_elf(nucleo_firmware: Firmware) -> None:
    listing = ran("arm-none-eabi-size", "-A", nucleo_firmware.elf).decode()
    sizes = {name: int(size) for name, size in re.findall(r"^(\.\S+) +(\d+) +[1-9]\d*$", listing, re.MULTILINE)}
    assert dict(nucleo_firmware.footprint.sections) == {name: size for name, size in sizes.items() if size}


def test_the_parts_are_the_models(nucleo_firmware: Firmware) -> None:
    graph, footprint = mixed(), nucleo_firmware.footprint
    channels = [len(graph.biases[operator.bias]) for operator in graph.topology.weighted()]
    # bias and multiplier of 4 bytes, shift and step of 1; every layer of this model has a mirrored channel.
    assert footprint.tables_bytes == sum(10 * count for count in channels)
    assert footprint.arena_bytes == make_plan(graph.topology, graph.bitwidths).arena_bytes
    assert nucleo_firmware.worst_stack_bytes is not None
    assert footprint.stack_bytes >= nucleo_firmware.worst_stack_bytes
    assert 0 < footprint.static_bytes < 1024
    assert 0 < footprint.weights_bytes < sum(codes.size for codes in graph.codes.values())
    assert footprint.code_bytes > sum(footprint.functions.values()) * 0.8


def test_every_operator_is_a_function_with_a_size(nucleo_firmware: Firmware) -> None:
    functions = nucleo_firmware.footprint.functions
    for index, kind in ((0, "conv2d"), (1, "depthwise_conv2d"), (2, "add"), (14, "softmax")):
        assert functions[f"op{index:02d}_{kind}"] > 0


def test_the_csv_lists_sections_and_then_the_largest_functions_first(nucleo_firmware: Firmware) -> None:
    rows = list(csv.DictReader(io.StringIO(nucleo_firmware.footprint.csv())))
    assert [row["kind"] for row in rows] == sorted((row["kind"] for row in rows), reverse=True)
    sizes = [int(row["bytes"]) for row in rows if row["kind"] == "function"]
    assert sizes == sorted(sizes, reverse=True)
    assert {row["name"] for row in rows if row["kind"] == "section"} == set(nucleo_firmware.footprint.sections)


def test_an_image_without_symbols_still_has_its_totals(nucleo_firmware: Firmware) -> None:
    stripped = nucleo_firmware.elf.with_name("stripped.elf")
    ran("arm-none-eabi-strip", "-o", stripped, nucleo_firmware.elf)
    found = read_footprint(stripped)
    assert (found.flash_bytes, found.sram_bytes) == (
        nucleo_firmware.footprint.flash_bytes,
        nucleo_firmware.footprint.sram_bytes,
    )
    assert (found.weights_bytes, found.functions) == (0, {})
