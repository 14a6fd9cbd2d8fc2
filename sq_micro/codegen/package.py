"""A generated project → the form in which an ecosystem takes libraries: its manifest, a test with golden vectors.

The sources are those of the project, wherever its kernels come from; only their places and their includes change.
Includes become relative, so that no build system needs a private include path, and two models never see each
other's kernel headers. Kernels of an instruction set run on no host: then the test comes with the same model in
portable C.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from sq_micro.codegen.literals import integer_lines
from sq_micro.codegen.render import render
from sq_micro.codegen.source_tree import SourceTree
from sq_micro.codegen.views import ModelView
from sq_micro.errors import UsageError
from sq_micro.reference.golden_vectors import GoldenVectors

PackageKind = Literal["cmake", "arduino", "platformio", "zephyr", "esp-idf", "cmsis", "c"]
PACKAGE_KINDS: tuple[PackageKind, ...] = ("cmake", "arduino", "platformio", "zephyr", "esp-idf", "cmsis", "c")

_GOLDEN_BYTES = 1 << 15  # of inputs and outputs in the test: enough for several samples, quick to compile
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_INCLUDE = re.compile(r'^(\s*#\s*include\s+")([^"]+)(")', re.MULTILINE)
_INCLUDE_PATH = ("", "src", "include", "sqm", "sqm/include")  # of the project, "" being the includer's own folder
_LEFT_OUT = ("CMakeLists.txt", "README.md")  # the project's own, replaced by the package's
_OF_KIND: Mapping[PackageKind, Mapping[str, str]] = {
    "cmake": {"CMakeLists.txt": "cmake/CMakeLists.txt.j2", "cmake/{prefix}Config.cmake": "cmake/Config.cmake.j2"},
    "arduino": {
        "library.properties": "arduino/library.properties.j2",
        "examples/Golden/Golden.ino": "arduino/Golden.ino.j2",
    },
    "platformio": {"library.json": "platformio/library.json.j2"},
    "zephyr": {
        "zephyr/module.yml": "zephyr/module.yml.j2",
        "zephyr/CMakeLists.txt": "zephyr/CMakeLists.txt.j2",
        "zephyr/Kconfig": "zephyr/Kconfig.j2",
    },
    "esp-idf": {"CMakeLists.txt": "esp-idf/CMakeLists.txt.j2", "idf_component.yml": "esp-idf/idf_component.yml.j2"},
    "cmsis": {"{prefix}.clayer.yml": "cmsis/clayer.yml.j2", "sq-micro.{prefix}.pdsc": "cmsis/pack.pdsc.j2"},
    "c": {},
}


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """What a package says of itself.

    version   three numbers
    homepage  a URL that manifests may demand
    isa       whose kernels the sources hold
    """

    kind: PackageKind
    version: str
    homepage: str
    isa: str


@dataclass(frozen=True, slots=True)
class PackageView:
    """What the templates of packages see; lines are finished C text. isa is empty where the sources are portable C."""

    name: str
    prefix: str
    macro: str
    version: str
    generator: str
    homepage: str
    short_hash: str
    arena_bytes: int
    constant_bytes: int
    sources: tuple[str, ...]
    include_dir: str
    isa: str
    test: str
    test_sources: tuple[str, ...]
    test_include_dir: str
    samples: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    first_input: tuple[str, ...]
    first_output: tuple[str, ...]


def make_package(
    model: ModelView, project: SourceTree, portable: SourceTree | None, golden: GoldenVectors, facts: PackageFacts
) -> SourceTree:
    """The files of a package. Raises UsageError iff the version is not three numbers.

    portable  the same model for the host's test; None where `project` itself is portable
    """
    if _VERSION.fullmatch(facts.version) is None:
        raise UsageError(f"version {facts.version}: three numbers are needed, as in 1.0.0")
    sources = _placed(project, facts.kind, PurePosixPath())
    extra = {} if portable is None else _placed(portable, "c", _test_folder(facts.kind) / "portable")
    view = _view(model, sources, extra, golden, facts)
    rendered = {
        PurePosixPath(path.format(prefix=view.prefix)): render(f"package/{template}", package=view)
        for path, template in _OF_KIND[facts.kind].items()
    }
    rendered[PurePosixPath(view.test)] = render("package/test.c.j2", package=view)
    howto = render(f"package/howto/{facts.kind}.md.j2", package=view)
    rendered[PurePosixPath("README.md")] = render("package/README.md.j2", package=view, howto=howto)
    return SourceTree(sources | extra | rendered)


def _test_folder(kind: PackageKind) -> PurePosixPath:
    """Arduino compiles nothing in `extras`; the others nothing that their manifest does not name."""
    return PurePosixPath("extras/test" if kind == "arduino" else "test")


def _placed(project: SourceTree, kind: PackageKind, root: PurePosixPath) -> dict[PurePosixPath, str]:
    """The project's sources where the kind has them, with includes that lead from file to file."""
    kept = {path: text for path, text in project.files.items() if str(path) not in _LEFT_OUT}
    places = {path: root / _place(path, kind) for path in kept}
    return {places[path]: _with_relative_includes(path, text, places) for path, text in kept.items()}


def _place(path: PurePosixPath, kind: PackageKind) -> PurePosixPath:
    """Arduino has one folder that is both compiled and on the include path; all others keep the project's."""
    if kind != "arduino" or path.name == "LICENSE":
        return path
    return PurePosixPath("src", *path.parts[1:]) if path.parts[0] in ("include", "src") else PurePosixPath("src") / path


def _with_relative_includes(path: PurePosixPath, text: str, places: Mapping[PurePosixPath, PurePosixPath]) -> str:
    here = posixpath.dirname(places[path])

    def relative(found: re.Match[str]) -> str:
        for folder in (path.parent, *(PurePosixPath(folder) for folder in _INCLUDE_PATH[1:])):
            target = PurePosixPath(posixpath.normpath(folder / found[2]))
            if target in places:
                return found[1] + posixpath.relpath(places[target], here or ".") + found[3]
        return found[0]

    return _INCLUDE.sub(relative, text)


def _view(
    model: ModelView,
    sources: Mapping[PurePosixPath, str],
    portable: Mapping[PurePosixPath, str],
    golden: GoldenVectors,
    facts: PackageFacts,
) -> PackageView:
    inputs, outputs = golden.inputs.reshape(len(golden), -1), golden.outputs.reshape(len(golden), -1)
    samples = min(len(golden), max(1, _GOLDEN_BYTES // (inputs.shape[1] + outputs.shape[1])))
    folder = _test_folder(facts.kind)
    include_dir = "src" if facts.kind == "arduino" else "include"
    return PackageView(
        name=model.name,
        prefix=model.prefix,
        macro=model.macro,
        version=facts.version,
        generator=model.version,
        homepage=facts.homepage,
        short_hash=model.model_hash[:16],
        arena_bytes=model.arena_bytes,
        constant_bytes=model.weight_bytes + model.table_bytes,
        sources=_compiled(sources),
        include_dir=include_dir,
        isa=facts.isa if portable else "",
        test=str(folder / f"{model.prefix}_test.c"),
        test_sources=_compiled(portable or sources),
        test_include_dir=str(folder / "portable" / "include") if portable else include_dir,
        samples=samples,
        inputs=integer_lines(inputs[:samples]),
        outputs=integer_lines(outputs[:samples]),
        first_input=integer_lines(inputs[:1]),
        first_output=integer_lines(outputs[:1]),
    )


def _compiled(files: Mapping[PurePosixPath, str]) -> tuple[str, ...]:
    return tuple(sorted(str(path) for path in files if path.suffix == ".c"))
