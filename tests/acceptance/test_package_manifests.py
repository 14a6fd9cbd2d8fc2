"""Manifests, by the ecosystem's own reader where one is on PyPI, else by the rules of its specification."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlparse
from xml.etree import ElementTree

import pytest
import yaml

from tests.acceptance.conftest import Digits
from tests.acceptance.package_folders import Run, digits_run

pytestmark = pytest.mark.xdist_group("packages")

# Arduino library specification: fields that must be there, and the categories that there are.
ARDUINO_FIELDS = (
    "name",
    "version",
    "author",
    "maintainer",
    "sentence",
    "paragraph",
    "category",
    "url",
    "architectures",
)
ARDUINO_CATEGORIES = (
    *("Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing", "Data Storage"),
    *("Data Processing", "Other"),
)
# Zephyr's documentation, "Modules": what a module.yml may hold.
ZEPHYR_KEYS = ("name", "build", "tests", "samples", "boards", "blobs", "security", "package-managers", "runners")
ZEPHYR_BUILD_KEYS = (
    *("cmake", "cmake-ext", "kconfig", "kconfig-ext", "sysbuild-cmake", "sysbuild-cmake-ext", "sysbuild-kconfig"),
    *("sysbuild-kconfig-ext", "depends", "settings"),
)
# Open-CMSIS-Pack, "pack description": elements of a package in the order that its schema demands.
PDSC_ORDER = ("vendor", "name", "description", "url", "license", "releases", "components")
# Open-CMSIS-Pack, "csolution": what a layer may hold, and how one of its files is named.
LAYER_KEYS = (
    "type",
    "description",
    "packs",
    "for-board",
    "for-device",
    "connections",
    "groups",
    "components",
    "linker",
)
XML_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"


@pytest.fixture(scope="module")
def run(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return digits_run(digits, tmp_path_factory.mktemp("digits_run"))


def test_platformio_reads_and_packs_the_library(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "core"))
    pytest.importorskip("platformio", reason="platformio is not installed")
    from platformio.package.manifest.parser import ManifestParserFactory
    from platformio.package.manifest.schema import ManifestSchema
    from platformio.package.pack import PackagePacker

    # PlatformIO downloads the list of SPDX licences; here it is given one.
    licences = {"licenses": [{"licenseId": "Apache-2.0"}]}
    monkeypatch.setattr(ManifestSchema, "load_spdx_licenses", staticmethod(lambda: licences))
    folder = run.package("platformio", tmp_path / run.prefix)
    found = ManifestSchema().load_manifest(ManifestParserFactory.new_from_dir(str(folder)).as_dict())
    assert (found["name"], found["version"], found["license"]) == (run.prefix, "1.0.0", "Apache-2.0")
    build = json.loads((folder / "library.json").read_text())["build"]
    assert all((folder / build[key]).is_dir() for key in ("includeDir", "srcDir"))
    assert all((folder / "include" / header).is_file() for header in found["headers"])
    assert Path(PackagePacker(str(folder)).pack(str(tmp_path / "packed.tar.gz"))).stat().st_size > 0
    with pytest.raises(Exception, match="version"):
        ManifestSchema().load_manifest(json.loads((folder / "library.json").read_text()) | {"version": "one"})


def test_esp_idf_reads_the_component(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("idf_component_tools", reason="idf-component-manager is not installed")
    from idf_component_tools.errors import ManifestError
    from idf_component_tools.manager import ManifestManager

    folder = run.package("esp-idf", tmp_path / run.prefix)
    manifest = ManifestManager(str(folder), run.prefix).validate().load()
    assert (str(manifest.version), manifest.license) == ("1.0.0", "Apache-2.0")
    lists = (folder / "CMakeLists.txt").read_text()
    assert lists.startswith("idf_component_register(")
    assert all((folder / source).is_file() for source in re.findall(r'"(src/[^"]+)"', lists))
    assert len(re.findall(r'"src/', lists)) == len(list((folder / "src").glob("*.c")))
    broken = folder / "idf_component.yml"
    broken.write_text(broken.read_text().replace("1.0.0", "one"))
    with pytest.raises(ManifestError):
        ManifestManager(str(folder), run.prefix).validate().load()


def test_zephyr_reads_the_options_of_the_module(run: Run, tmp_path: Path) -> None:
    kconfiglib = pytest.importorskip("kconfiglib", reason="kconfiglib is not installed")
    folder = run.package("zephyr", tmp_path / run.prefix)
    kconfig = kconfiglib.Kconfig(str(folder / "zephyr" / "Kconfig"), warn_to_stderr=False)
    assert not kconfig.warnings
    option = kconfig.syms[run.prefix.upper()]
    assert (option.type, option.str_value) == (kconfiglib.BOOL, "n")
    assert "bytes of SRAM" in option.nodes[0].help
    option.set_value(2)
    assert option.str_value == "y"


def test_zephyr_modules_hold_what_the_documentation_says(run: Run, tmp_path: Path) -> None:
    folder = run.package("zephyr", tmp_path / run.prefix)
    module = yaml.safe_load((folder / "zephyr" / "module.yml").read_text())
    assert set(module) <= set(ZEPHYR_KEYS)
    assert set(module["build"]) <= set(ZEPHYR_BUILD_KEYS)
    assert (folder / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    assert (folder / module["build"]["kconfig"]).is_file()
    lists = (folder / "zephyr" / "CMakeLists.txt").read_text()
    sources = re.findall(r"\$\{CMAKE_CURRENT_SOURCE_DIR\}/\.\./(\S+\.c)", lists)
    assert sorted(folder / source for source in sources) == sorted((folder / "src").glob("*.c"))


def test_arduino_libraries_follow_the_specification(run: Run, tmp_path: Path) -> None:
    folder = run.package("arduino", tmp_path / run.prefix)
    lines = (folder / "library.properties").read_text().splitlines()
    fields = dict(line.split("=", 1) for line in lines)
    assert set(ARDUINO_FIELDS) <= set(fields)
    assert all(fields[name] for name in ARDUINO_FIELDS)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\- ]{0,62}", fields["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", fields["version"])
    assert fields["category"] in ARDUINO_CATEGORIES
    assert fields["architectures"] == "*"
    assert urlparse(fields["url"]).scheme in ("http", "https")
    assert (folder / "src" / fields["includes"]).is_file()
    # The 1.5 layout: sources in src/ alone, each sketch in a folder of its own name, no symbolic links, no .exe.
    assert not list(folder.glob("*.[ch]"))
    sketches = list((folder / "examples").rglob("*.ino"))
    assert sketches
    assert all(sketch.stem == sketch.parent.name for sketch in sketches)
    assert not [path for path in folder.rglob("*") if path.is_symlink() or path.suffix == ".exe"]
    compiled = {path.parent for path in folder.rglob("*.c") if folder / "extras" not in path.parents}
    assert compiled == {folder / "src"}


def test_cmsis_layers_and_packs_name_files_that_exist(run: Run, tmp_path: Path) -> None:
    folder = run.package("cmsis", tmp_path / run.prefix)
    layer = yaml.safe_load((folder / f"{run.prefix}.clayer.yml").read_text())["layer"]
    assert set(layer) <= set(LAYER_KEYS)
    (group,) = layer["groups"]
    assert all((folder / entry["file"]).is_file() for entry in group["files"])
    assert all((folder / path).is_dir() for path in group["add-path"])

    # The file is named <vendor>.<name>.pdsc.
    (description,) = folder.glob("*.pdsc")
    package = ElementTree.parse(description).getroot()
    assert package.tag == "package"
    assert package.get(XML_SCHEMA_LOCATION) == "PACK.xsd"
    assert [element.tag for element in package] == list(PDSC_ORDER)
    assert description.name == f"{package.findtext('vendor')}.{package.findtext('name')}.pdsc"
    assert (folder / (package.findtext("license") or "")).is_file()
    (component,) = package.iter("component")
    assert {"Cclass", "Cgroup", "Cversion"} <= set(component.attrib)
    files = [(entry.get("category"), entry.get("name") or "") for entry in component.iter("file")]
    assert {category for category, _ in files} == {"include", "header", "doc", "sourceC"}
    assert all((folder / name).exists() for _, name in files)
    compiled = sorted(name for category, name in files if category == "sourceC")
    assert compiled == sorted(str(path.relative_to(folder)) for path in (folder / "src").glob("*.c"))
