"""Which compiler is taken, and what is said where there is none."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sq_micro.board import board_ids, load_board
from sq_micro.errors import ToolchainError
from sq_micro.toolchain import compiler as compiler_module
from sq_micro.toolchain.compiler import Compiler, find_compiler, toolchain_file, zig_path

HOST, NUCLEO = load_board("host"), load_board("nucleo_l4r5zi")
# One board of each way in which zig is told of a Cortex-M.
ZIG_CORES = {board.core.zig_cpu: board for board in map(load_board, board_ids()) if board.core.architecture == "arm"}


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that exactly these programs are on PATH."""

    def pretend(*programs: str) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}" if name in programs else None)
        monkeypatch.setattr(compiler_module, "_first_line", lambda command: f"{Path(command[0]).name} 1.2")

    return pretend


@pytest.fixture
def without_zig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler_module, "zig_path", lambda: None)


@pytest.fixture
def with_zig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler_module, "zig_path", lambda: Path("/wheel/zig"))


def test_gnu_comes_first(on_path: Callable[..., None], with_zig: None) -> None:
    on_path("arm-none-eabi-gcc", "gcc", "clang")
    assert find_compiler(NUCLEO) == Compiler("gcc", ("/opt/arm-none-eabi-gcc",), "arm-none-eabi-gcc 1.2")
    assert find_compiler(HOST) == Compiler("gcc", ("/opt/gcc",), "gcc 1.2")
    assert str(find_compiler(HOST)) == "gcc (gcc 1.2)"


def test_a_host_takes_clang_where_there_is_no_gcc(on_path: Callable[..., None], without_zig: None) -> None:
    on_path("clang", "cc")
    assert find_compiler(HOST, "gcc").command == ("/opt/clang",)


def test_zig_is_taken_where_there_is_no_gnu_compiler(on_path: Callable[..., None], with_zig: None) -> None:
    on_path("gcc")
    assert find_compiler(NUCLEO) == Compiler("zig", ("/wheel/zig", "cc"), "zig zig 1.2")


def test_zig_is_taken_when_it_is_asked_for(on_path: Callable[..., None], with_zig: None) -> None:
    on_path("arm-none-eabi-gcc")
    assert find_compiler(NUCLEO, "zig").kind == "zig"


@pytest.mark.parametrize(
    ("board", "package"), [(NUCLEO, "apt-get install gcc-arm-none-eabi"), (HOST, "apt-get install gcc")]
)
def test_a_missing_gcc_says_what_to_install(
    board: object, package: str, on_path: Callable[..., None], with_zig: None
) -> None:
    on_path()
    with pytest.raises(
        ToolchainError, match=f"is not on PATH; install it .*{package}.* or use --compiler zig"
    ) as caught:
        find_compiler(board, "gcc")  # type: ignore[arg-type]
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("choice", ["auto", "zig"])
def test_no_compiler_at_all(choice: str, on_path: Callable[..., None], without_zig: None) -> None:
    on_path()
    with pytest.raises(ToolchainError, match="no compiler: pip install ziglang") as caught:
        find_compiler(NUCLEO, choice)  # type: ignore[arg-type]
    assert caught.value.exit_code == 5


def test_a_compiler_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "arm-none-eabi-gcc"
    broken.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(broken))
    with pytest.raises(ToolchainError, match=f"{broken} does not run"):
        find_compiler(NUCLEO, "gcc")


def test_the_zig_of_the_wheel_is_found() -> None:
    pytest.importorskip("ziglang")
    path = zig_path()
    assert path is not None
    assert path.is_file()


def test_toolchain_files() -> None:
    gcc, zig = Compiler("gcc", ("/opt/gcc",), "1"), Compiler("zig", ("/wheel/zig", "cc"), "1")
    assert "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard" in toolchain_file(gcc, NUCLEO)
    bare = toolchain_file(zig, NUCLEO)
    assert 'set(CMAKE_C_COMPILER "/wheel/zig;cc")' in bare
    assert "-target thumb-freestanding-eabihf -mcpu=cortex_m4" in bare
    assert "set(CMAKE_SYSTEM_NAME Generic)" in bare
    for compiler in (gcc, zig):
        hosted = toolchain_file(compiler, HOST)
        assert "CMAKE_SYSTEM_NAME" not in hosted
        assert "FLAGS" not in hosted


@pytest.mark.parametrize("zig_cpu", ZIG_CORES)
def test_zig_has_the_instructions_that_the_kernels_of_the_board_take(zig_cpu: str) -> None:
    pytest.importorskip("ziglang")
    board, path = ZIG_CORES[zig_cpu], zig_path()
    text = toolchain_file(Compiler("zig", (str(path), "cc"), "1"), board)
    flags = re.findall(r'FLAGS_INIT "(.*)"', text)[0].split()
    done = subprocess.run(
        [str(path), "cc", *flags, "-dM", "-E", "-x", "c", "-"], input="", capture_output=True, text=True, check=True
    )
    defined = set(re.findall(r"#define (__ARM_\w+) ", done.stdout))
    assert ("__ARM_FEATURE_DSP" in defined) == (board.core.isa == "armv7em_dsp")
    assert ("__ARM_FP" in defined) == board.core.has_fpu
