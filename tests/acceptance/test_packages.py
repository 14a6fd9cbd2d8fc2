"""Packages in a stranger's hands: their documented steps, the cross compilers, two models in one program."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from sq_micro.board import load_board
from sq_micro.codegen.package import PACKAGE_KINDS
from sq_micro.codegen.render import render_board
from sq_micro.codegen.source_tree import SourceTree
from sq_micro.measure.harness import measure
from sq_micro.measure.link.make_link import make_link
from sq_micro.measure.session import Session
from sq_micro.plan.plan import make_plan
from sq_micro.reference.golden_vectors import GoldenVectors
from sq_micro.stages.quantize import executed_graph
from sq_micro.toolchain.cmake import BuildRequest, find_program
from sq_micro.toolchain.compiler import find_compiler
from sq_micro.toolchain.firmware import build
from sq_micro.workspace import Workspace
from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits
from tests.acceptance.package_folders import BOARD, Run, digits_run, sequence_run

STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Wundef", "-Wshadow", "-Wstrict-prototypes", "-Werror")
CROSS = {
    "gcc": ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"),
    "zig": ("zig", "cc", "-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4"),
}

pytestmark = pytest.mark.xdist_group("packages")


@pytest.fixture(scope="module")
def run(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return digits_run(digits, tmp_path_factory.mktemp("digits_run"))


@pytest.fixture(scope="module")
def other_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return sequence_run(tmp_path_factory.mktemp("sequence_run"))


def called(command: Sequence[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def cross_compiler(name: str) -> tuple[str, ...]:
    if name == "zig":
        import ziglang

        return (str(Path(ziglang.__file__).parent / "zig"), *CROSS["zig"][1:])
    if shutil.which(CROSS[name][0]) is None:
        pytest.skip(f"{CROSS[name][0]} is not installed")
    return CROSS[name]


@pytest.mark.parametrize("kind", PACKAGE_KINDS)
def test_the_documented_test_passes_and_both_cross_compilers_take_it(kind: str, run: Run, tmp_path: Path) -> None:
    folder = run.package(kind, tmp_path / run.prefix)
    readme = (folder / "README.md").read_text()
    (command,) = re.findall(r"^    (cc -std=c11 .*)$", readme, re.MULTILINE)
    said = called(["sh", "-c", command], folder)
    assert said == f"{run.prefix}: 6 golden samples, outputs identical\n"
    include = folder / ("src" if kind == "arduino" else "include")
    for source in sorted((folder / "src").glob("*.c")):
        # Files and includes lie in two ways, Arduino's and that of all others; zig takes seconds for each.
        for name in CROSS if kind in ("arduino", "c") else ("gcc",):
            flags = ("-std=c11", "-O2", "-ffreestanding", *STRICT, "-I", str(include))
            called([*cross_compiler(name), *flags, "-c", source, "-o", tmp_path / "object.o"], folder)
    assert (folder / "LICENSE").read_text().lstrip().startswith("Apache License")


def test_a_wrong_output_fails_the_test(run: Run, tmp_path: Path) -> None:
    folder = run.package("c", tmp_path / run.prefix)
    test = folder / "test" / f"{run.prefix}_test.c"
    head, opening, rest = test.read_text().partition("_OUTPUT_BYTES] = {\n    ")
    number, comma, tail = rest.partition(",")
    test.write_text(f"{head}{opening}{int(number) + 1 if int(number) < 127 else 0}{comma}{tail}")
    (command,) = re.findall(r"^    (cc -std=c11 .*)$", (folder / "README.md").read_text(), re.MULTILINE)
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("sample 0, output 0: got ")


MAIN = """
#include "{prefix}.h"
int main(void)
{{
    {prefix}_input()[0] = 1;
    {prefix}_invoke();
    return {prefix}_output() == 0;
}}
"""


def cmake(folder: Path, *options: str) -> None:
    generator = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={find_program('ninja')}")
    called([find_program("cmake"), "-S", ".", "-B", "build", *generator, *options], folder)
    called([find_program("cmake"), "--build", "build"], folder)


def consumer(folder: Path, prefix: str, lines: str) -> Path:
    folder.mkdir()
    (folder / "main.c").write_text(MAIN.format(prefix=prefix))
    (folder / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.21)\nproject(stranger C)\n{lines}\nadd_executable(stranger main.c)\n"
        f"target_link_libraries(stranger PRIVATE sqm::{prefix.removeprefix('sqm_')})\n"
    )
    return folder


@pytest.mark.slow
def test_cmake_tests_installs_and_is_found(run: Run, tmp_path: Path) -> None:
    folder = run.package("cmake", tmp_path / run.prefix)
    cmake(folder)
    ctest = Path(find_program("cmake")).with_name("ctest")
    assert "100% tests passed" in called([ctest, "--test-dir", "build"], folder)
    called([find_program("cmake"), "--install", "build", "--prefix", tmp_path / "installed"], folder)
    lines = f"find_package({run.prefix} 1.0.0 REQUIRED)"
    stranger = consumer(tmp_path / "stranger", run.prefix, lines)
    cmake(stranger, f"-DCMAKE_PREFIX_PATH={tmp_path / 'installed'}")
    called([stranger / "build" / "stranger"], stranger)


@pytest.mark.slow
def test_cmake_fetches_it(run: Run, tmp_path: Path) -> None:
    run.package("cmake", tmp_path / run.prefix)
    archive = shutil.make_archive(str(tmp_path / "package"), "gztar", tmp_path, run.prefix)
    lines = (
        "include(FetchContent)\n"
        f"FetchContent_Declare({run.prefix} URL {archive})\nFetchContent_MakeAvailable({run.prefix})"
    )
    stranger = consumer(tmp_path / "stranger", run.prefix, lines)
    cmake(stranger)
    called([stranger / "build" / "stranger"], stranger)
    assert not list((stranger / "build").rglob("*_test")), "the test is not built inside of someone's project"


def test_two_models_link_and_run_in_one_program(run: Run, other_run: Run, tmp_path: Path) -> None:
    """Both tests in turn, the first one again behind the second: neither disturbs the other."""
    objects, calls = [], []
    for one in (run, other_run):
        folder = one.package("c", tmp_path / one.prefix, "--portable")
        assert not (folder / "test" / "portable").exists()
        for source in (*(folder / "src").glob("*.c"), folder / "test" / f"{one.prefix}_test.c"):
            target = tmp_path / f"{source.stem}.o"
            renamed = f"-Dmain={one.prefix}_main"
            flags = ("-std=c11", "-O1", "-Wall", "-Werror", renamed, "-I", str(folder / "include"))
            called(["cc", *flags, "-c", source, "-o", target], folder)
            objects.append(target)
        calls.append(f"{one.prefix}_main")
    calls.append(calls[0])
    (tmp_path / "main.c").write_text(
        "".join(f"int {name}(void);\n" for name in calls)
        + f"int main(void) {{ return {' || '.join(f'{name}()' for name in calls)}; }}\n"
    )
    called(["cc", "main.c", *objects, "-o", "both"], tmp_path)
    assert called([tmp_path / "both"], tmp_path).count("outputs identical") == 3


@pytest.mark.slow
@pytest.mark.simulator
def test_two_models_run_in_one_firmware(run: Run, other_run: Run, tmp_path: Path) -> None:
    """One bench image per model, the other model linked in and invoked before every inference."""
    pytest.importorskip("unicorn", reason="unicorn is not installed")
    board, merged = load_board(BOARD), tmp_path / "model"
    for one in (run, other_run):
        SourceTree.read(one.folder / "model").write(merged)
        (merged / ".sq-micro-generated").unlink()  # or the second model would replace the first
    for one, other in ((run, other_run), (other_run, run)):
        graph = executed_graph(Workspace(one.folder))
        golden = GoldenVectors.load(one.folder / "07_golden.npz")
        plan = make_plan(graph.topology, graph.bitwidths, board.core.isa)
        folder = tmp_path / one.prefix
        render_board(graph, plan, board).write(folder / "board")
        binding = folder / "board" / "sqm_binding.h"
        text = binding.read_text()
        both = f"({other.prefix}_invoke(), {one.prefix}_invoke())"
        assert f"{one.prefix}_invoke()\n" in text
        text = text.replace(f"{one.prefix}_invoke()\n", f"{both}\n")
        binding.write_text(text.replace("#define BOUND_NAME", f'#include "{other.prefix}.h"\n#define BOUND_NAME'))
        compiler = find_compiler(board, "auto")
        image = build(BuildRequest(merged, folder / "board", folder / "build", board, compiler, plan.arena_bytes))
        inputs, outputs = (array.reshape(len(golden), -1) for array in (golden.inputs, golden.outputs))
        with Session(make_link("simulator", image.elf, board), model_hash=graph.digest().hex()) as session:
            measured = measure(session, inputs, outputs)
        assert measured.identical == len(golden)


def test_a_folder_of_other_origin_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    ran = sq_micro("package", "--out", run.folder, "--kind", "c", "--output", tmp_path / "mine")
    assert ran.code == 2
    assert "notes.txt, which sq-micro did not write" in ran.error_line
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_package_replaces_an_earlier_one_whole(run: Run, tmp_path: Path) -> None:
    folder = run.package("cmake", tmp_path / "library")
    assert (folder / "CMakeLists.txt").is_file()
    run.package("c", folder)
    assert not (folder / "CMakeLists.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["library"], "nothing temporary is left"
    (folder / "mine.c").write_text("int mine;")
    ran = sq_micro("package", "--out", run.folder, "--kind", "cmake", "--output", folder)
    assert ran.code == 2
    assert not (folder / "CMakeLists.txt").exists()


def test_an_interrupted_package_leaves_the_earlier_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run.package("c", tmp_path / "library")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def interrupted(_tree: SourceTree, directory: Path) -> None:
        directory.mkdir()
        (directory / "half").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr(SourceTree, "write", interrupted)
    ran = sq_micro("package", "--out", run.folder, "--kind", "cmake", "--output", folder)
    assert ran.code == 130
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_equal_runs_give_equal_packages(run: Run, tmp_path: Path) -> None:
    first, second = (run.package("arduino", tmp_path / name) for name in ("first", "second"))
    files = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert files
    assert all((first / path).read_bytes() == (second / path).read_bytes() for path in files)


def test_a_version_is_three_numbers(run: Run, tmp_path: Path) -> None:
    arguments = ("--out", run.folder, "--kind", "c", "--output", tmp_path / "x", "--package-version", "v1")
    ran = sq_micro("package", *arguments)
    assert ran.code == 2
    assert "1.0.0" in ran.error_line


def test_a_run_without_sources_is_refused(tmp_path: Path) -> None:
    ran = sq_micro("package", "--out", tmp_path, "--kind", "c", "--output", tmp_path / "x")
    assert ran.code == 2
    assert "sq-micro generate" in ran.error_line
