"""The options that several commands share, each defined once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sq_micro.board import board_ids


class Observer(StrEnum):
    """See `quant.observers`."""

    MSE = "mse"
    MINMAX = "minmax"
    PERCENTILE = "percentile"


class Rounding(StrEnum):
    """See `rounding`."""

    FEEDBACK = "feedback"
    NEAREST = "nearest"


class WeightScales(StrEnum):
    """See `quant.weights`."""

    MSE = "mse"
    MINMAX = "minmax"


class CompilerName(StrEnum):
    """See `toolchain.compiler`."""

    AUTO = "auto"
    GCC = "gcc"
    ZIG = "zig"


class AllocatorName(StrEnum):
    """See `assign`."""

    ILP = "ilp"
    SIGMAQUANT = "sigmaquant"
    UNIFORM = "uniform"
    MEMORY_DRIVEN = "memory-driven"
    SIZE_RANKED = "size-ranked"


class KernelsName(StrEnum):
    """See `ir.kernel_set`."""

    AUTO = "auto"
    FAST = "fast"
    SHARED = "shared"
    PORTABLE = "portable"
    SMALL = "small"


def complete_board(incomplete: str) -> list[str]:
    """Board ids that begin so."""
    return [board for board in board_ids() if board.startswith(incomplete)]


DEFAULT_OUT = Path("out/deploy")

Model = Annotated[Path, typer.Argument(help="trained model: .keras, Keras 2 .h5, or .tflite", show_default=False)]
Out = Annotated[Path, typer.Option("--out", "-o", help="folder of the run's artefacts")]
BoardName = Annotated[
    str, typer.Option("--board", "-b", help="board id, or a .toml file", autocompletion=complete_board)
]
Calibrate = Annotated[Path, typer.Option("--calibrate", help=".npz with x: samples to find activation ranges from")]
CalibrateIfFloat = Annotated[
    Path | None,
    typer.Option("--calibrate", help=".npz with x: samples to find activation ranges from (not for int8 .tflite)"),
]
Evaluate = Annotated[Path | None, typer.Option("--evaluate", help=".npz with x and y: samples to find accuracy from")]
WeightBits = Annotated[
    str | None, typer.Option("--weight-bits", help="8, 6, 5, 4, 3 or 2; or a plan file (bits.json)  [default: 8]")
]
ActivationBits = Annotated[
    list[str] | None,
    typer.Option(
        "--activation-bits",
        help="NAME=4: the output of an operator has 4 bits in SRAM; 4: all that can have. May be repeated",
    ),
]
ObserverOption = Annotated[Observer, typer.Option("--observer", help="how activation ranges are chosen")]
RoundingOption = Annotated[Rounding, typer.Option("--rounding", help="feedback: by the calibration samples")]
ScalesOption = Annotated[WeightScales, typer.Option("--weight-scales", help="for --rounding nearest")]
Equalise = Annotated[
    bool, typer.Option("--equalise", help="balance channels of neighbouring layers by the calibration samples first")
]
EqualiseBy = Annotated[
    Path | None, typer.Option("--equalise-by", help="calibration samples by which to balance neighbouring layers")
]
Int4 = Annotated[
    bool, typer.Option("--int4", help="4-bit weights that TFLite's int4 holds, for export --format tflite-compact")
]
SamplesOption = Annotated[
    int, typer.Option("--samples", min=1, help="golden inputs, run on TFLite Micro and the board")
]
CompilerOption = Annotated[CompilerName, typer.Option("--compiler", help="auto: arm-none-eabi-gcc if found, else zig")]
Link = Annotated[
    str | None, typer.Option("--link", help="simulator, qemu, renode, serial, host  [default: board's first]")
]
Port = Annotated[
    str | None, typer.Option("--port", help="serial port or URL, as /dev/ttyACM0, COM5, socket://host:4000")
]
Renode = Annotated[str | None, typer.Option("--renode", help="the program  [default: SQ_RENODE, else on PATH]")]
FlashFirst = Annotated[bool, typer.Option("--flash", help="program the board first")]
Runs = Annotated[int, typer.Option("--runs", min=1, help="timed inferences")]
WarmUp = Annotated[int, typer.Option("--warm-up", min=0, help="inferences before the timed ones")]
DeviceAccuracy = Annotated[
    Path | None, typer.Option("--accuracy", help=".npz with x and y: count the accuracy on the device, too")
]
AccuracyMargin = Annotated[
    float,
    typer.Option("--accuracy-margin", min=0.0, help="points of half the 95 % interval to stop at; 0: all samples"),
]
Bake = Annotated[int, typer.Option("--bake", min=0, help="golden inputs to put into the image, for slow lines")]
EdgePin = Annotated[
    str | None, typer.Option("--edge-pin", help="pin that is low in the timed region, as PC7, P1.02 or GPIO5")
]

Train = Annotated[
    Path | None, typer.Option("--train", help=".npz with x, and y if known: fine-tune the plan on these samples")
]
Epochs = Annotated[int | None, typer.Option("--epochs", min=1, help="of fine-tuning  [default: by the samples]")]
LearningRate = Annotated[
    float | None,
    typer.Option(
        "--learning-rate", help="of fine-tuning, in steps between levels  [default: 0.01, less for long runs]"
    ),
]

_BUDGETS = "Budgets: the bits are then chosen"
Flash = Annotated[str | None, typer.Option("--flash", help="of the whole image, as 48KiB", rich_help_panel=_BUDGETS)]
Sram = Annotated[str | None, typer.Option("--sram", help="arena, stack and static, as 40KiB", rich_help_panel=_BUDGETS)]
Latency = Annotated[str | None, typer.Option("--latency", help="of one inference, as 60ms", rich_help_panel=_BUDGETS)]
Energy = Annotated[str | None, typer.Option("--energy", help="of one inference, as 4mJ", rich_help_panel=_BUDGETS)]
WeightBytes = Annotated[
    str | None, typer.Option("--weight-bytes", help="packed weights alone, as 20KiB", rich_help_panel=_BUDGETS)
]
MaxDrop = Annotated[
    float | None,
    typer.Option("--max-drop", min=0.0, help="points of accuracy that may be lost", rich_help_panel=_BUDGETS),
]
AllocatorOption = Annotated[AllocatorName, typer.Option("--allocator", help="how bits are chosen")]
Kernels = Annotated[
    KernelsName, typer.Option("--kernels", help="time against code; auto: the fastest, unless flash is short")
]
Pin = Annotated[list[str] | None, typer.Option("--pin", help="NAME=BITS, an operator that is decided; repeatable")]
Pairwise = Annotated[
    bool, typer.Option("--pairwise", help="measure how damages of two operators combine: a trial for each pair, once")
]
Plot = Annotated[bool, typer.Option("--plot", help="bits by operator over bytes, as OUT/05_bits.svg")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="processes  [default: one per core]")]
Dask = Annotated[str | None, typer.Option("--dask", help="scheduler of a Dask cluster, as tcp://host:8786")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="neither read nor keep results of the search")]

Json = Annotated[bool, typer.Option("--json", help="print JSON on stdout, nothing else")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="check everything, say what would be done, write nothing")]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an error")]
Version = Annotated[bool, typer.Option("--version", help="print the version")]


def help_without_command(context: typer.Context) -> None:
    """For a group of commands whose name stands alone: say which ones there are."""
    if context.invoked_subcommand is None:
        print(context.get_help())
