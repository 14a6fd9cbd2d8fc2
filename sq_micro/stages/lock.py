"""What a run's image followed from, as hashes: `sqm.lock` in the run's folder, for `sq-micro reproduce`."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from sq_micro import __version__
from sq_micro.board.load import boards_folder
from sq_micro.codegen.source_tree import SourceTree
from sq_micro.errors import UsageError
from sq_micro.ir.kernel_set import KernelSet
from sq_micro.paths import project_files, write_atomically
from sq_micro.quant.observers import ObserverName
from sq_micro.quant.weights import WeightScales
from sq_micro.rounding import RoundingMethod
from sq_micro.stages.quantize import QuantizeOptions
from sq_micro.stages.records import (
    AnalyzeRecord,
    BuiltRecord,
    GenerateRecord,
    QuantizeRecord,
    StageRecord,
    load_record,
)
from sq_micro.toolchain.compiler import CompilerChoice
from sq_micro.toolchain.image_hash import loaded_sha256
from sq_micro.workspace import Stage, Workspace

LOCK_FILE = "sqm.lock"
# What the integers are computed with: another version of these may round a sum in another way.
_PACKAGES = ("numpy", "scipy", "keras", "jax")


class LockedFile(StageRecord):
    """A file by its path, relative to the lock's folder, and its content."""

    file: str
    sha256: str


class LockedTools(StageRecord):
    """What computed and compiled. code_sha256 is over sq-micro's own sources."""

    version: str
    code_sha256: str
    python: str
    packages: dict[str, str]
    compiler: str


class LockedSettings(StageRecord):
    """The options of quantization and build; bits and kernels are those that were chosen, whoever chose them.

    kernels            by operator, where they are not the fastest
    arena_limit_bytes  by which the arena was planned, of an SRAM budget
    """

    observer: ObserverName
    rounding: RoundingMethod
    weight_scales: WeightScales
    samples: int
    epochs: int | None
    learning_rate: float | None
    seed: int | None
    int4: bool
    equalised: bool
    compiler: CompilerChoice
    bits: dict[str, int]
    activation_bits: dict[str, int] = Field(default_factory=dict)
    kernels: dict[str, KernelSet] = Field(default_factory=dict)
    arena_limit_bytes: int | None = None


class LockedOutputs(StageRecord):
    """image_sha256 is over what is loaded onto the chip, elf_sha256 over the file with its debug information."""

    model_hash: str
    sources: dict[str, str]
    image_sha256: str
    elf_sha256: str


class Lock(StageRecord):
    """A run. board is an id or the path of a board file, board_sha256 is of the file."""

    lock_version: Literal["1"] = "1"
    board: str
    board_sha256: str
    model: LockedFile
    calibrate: LockedFile | None
    evaluate: LockedFile | None
    train: LockedFile | None
    tools: LockedTools
    settings: LockedSettings
    outputs: LockedOutputs


def write_lock(
    workspace: Workspace, model: Path, board: str, options: QuantizeOptions, compiler: CompilerChoice
) -> Lock:
    """Lock what `build` left in the folder and all that it followed from."""
    quantized, built = load_record(workspace, QuantizeRecord), load_record(workspace, BuiltRecord)
    generated = load_record(workspace, GenerateRecord)
    finetuning = quantized.quantization.finetuning
    board_file = _board_file(board)
    lock = Lock(
        board=_relative(board_file, workspace.folder) if board_file.parent != boards_folder() else board,
        board_sha256=sha256_of(board_file),
        model=_locked(model, workspace.folder),
        calibrate=_locked_or_none(options.calibrate, workspace.folder),
        evaluate=_locked_or_none(options.evaluate, workspace.folder),
        train=_locked_or_none(options.train, workspace.folder),
        tools=current_tools(built.build.compiler),
        settings=LockedSettings(
            observer=options.observer,
            rounding=options.rounding,
            weight_scales=options.weight_scales,
            samples=options.samples,
            epochs=options.epochs,
            learning_rate=options.learning_rate,
            seed=None if finetuning is None else finetuning.seed,
            int4=options.int4,
            equalised=load_record(workspace, AnalyzeRecord).equalised,
            compiler=compiler,
            bits=dict(quantized.bits.weights),
            activation_bits=dict(quantized.bits.activations),
            kernels=dict(generated.kernels),
            arena_limit_bytes=generated.arena_limit_bytes,
        ),
        outputs=current_outputs(workspace),
    )
    write_atomically(workspace / LOCK_FILE, lock.to_json())
    return lock


def read_lock(file: Path) -> Lock:
    """Raises UsageError iff the file is missing or no lock of this version."""
    try:
        return Lock.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}); `sq-micro deploy` writes it") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise UsageError(f"{file}: is no lock of this sq-micro ({where}: {first['msg']})") from error


def current_tools(compiler: str) -> LockedTools:
    """What computes here and now."""
    return LockedTools(
        version=__version__,
        code_sha256=_code_sha256(),
        python=platform.python_version(),
        packages={name: metadata.version(name) for name in _PACKAGES},
        compiler=compiler,
    )


def current_outputs(workspace: Workspace) -> LockedOutputs:
    """What a folder holds after `build`."""
    tree = SourceTree.read(workspace.need(Stage.GENERATE, "model"))
    elf = workspace.need(Stage.BUILD, "firmware.elf")
    return LockedOutputs(
        model_hash=load_record(workspace, QuantizeRecord).model_hash,
        sources={str(path): hashlib.sha256(text.encode()).hexdigest() for path, text in tree.files.items()},
        image_sha256=loaded_sha256(elf),
        elf_sha256=sha256_of(elf),
    )


def sha256_of(file: Path) -> str:
    """Raises UsageError iff the file cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error


def _board_file(board: str) -> Path:
    path = Path(board)
    return path.resolve() if path.suffix == ".toml" else boards_folder() / f"{board}.toml"


def _locked(file: Path, folder: Path) -> LockedFile:
    return LockedFile(file=_relative(file, folder), sha256=sha256_of(file))


def _locked_or_none(file: Path | None, folder: Path) -> LockedFile | None:
    return None if file is None else _locked(file, folder)


def _relative(file: Path, folder: Path) -> str:
    return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()


def _code_sha256() -> str:
    """Over names and contents of all files that decide integers, sources and image."""
    root, state = project_files(), hashlib.sha256()
    package = Path(__file__).resolve().parents[1]
    files = {f"sq_micro/{file.relative_to(package).as_posix()}": file for file in package.rglob("*.py")}
    for folder in ("codegen_templates", "firmware"):
        files |= {file.relative_to(root).as_posix(): file for file in (root / folder).rglob("*") if file.is_file()}
    files["CMakeLists.txt"] = root / "CMakeLists.txt"
    for name, file in sorted(files.items()):
        state.update(f"{name} {sha256_of(file)}\n".encode())
    return state.hexdigest()
