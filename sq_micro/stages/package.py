"""Wraps the generated model as a library of an ecosystem, in a folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sq_micro.codegen.model_view import make_model_view
from sq_micro.codegen.package import PackageFacts, PackageKind, make_package
from sq_micro.codegen.render import render_project
from sq_micro.codegen.source_tree import MARKER, SourceTree, written_before
from sq_micro.errors import UsageError
from sq_micro.kernels.catalogue import PORTABLE
from sq_micro.plan.plan import make_plan
from sq_micro.reference.golden_vectors import GoldenVectors
from sq_micro.stages.generate import generated
from sq_micro.stages.quantize import executed_graph
from sq_micro.stages.records import StageRecord
from sq_micro.workspace import Stage, Workspace

DEFAULT_VERSION = "1.0.0"
PLACEHOLDER_HOMEPAGE = "https://example.com/"  # some manifests demand one; a person knows the true one


class PackageRecord(StageRecord):
    """What was written; files are relative to the folder."""

    kind: str
    folder: str
    model_hash: str
    files: list[str]

    def __str__(self) -> str:
        return f"{self.folder}: {self.kind} package of {len(self.files)} files, model {self.model_hash[:16]}"


def package(
    workspace: Workspace,
    kind: PackageKind,
    folder: Path,
    version: str = DEFAULT_VERSION,
    homepage: str = PLACEHOLDER_HOMEPAGE,
    portable: bool = False,
) -> PackageRecord:
    """Write the package, whole or not at all; an earlier package of ours in the same folder is replaced.

    portable  kernels in portable C, which every core takes, in place of those of the run's board
    Raises UsageError iff nothing is generated yet, or the folder holds anything that sq-micro did not write.
    """
    board = generated(workspace).board
    graph = executed_graph(workspace)
    golden = GoldenVectors.load(workspace.need(Stage.QUANTIZE, "07_golden.npz"))
    isa = PORTABLE if portable else board.core.isa
    kernels = generated(workspace).record.kernels
    plan, plain = (make_plan(graph.topology, graph.bitwidths, one, sets=kernels) for one in (isa, PORTABLE))
    model, project, fallback = make_model_view(graph, plan), render_project(graph, plan), render_project(graph, plain)
    facts = PackageFacts(kind, version, homepage, isa)
    tree = make_package(model, project, None if project == fallback else fallback, golden, facts)
    _publish(tree, folder)
    return PackageRecord(
        kind=kind, folder=str(folder), model_hash=golden.model_hash.hex(), files=[str(path) for path in tree.files]
    )


def _publish(tree: SourceTree, folder: Path) -> None:
    """Build beside the folder, then take its place."""
    _require_ours(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            fresh, old = Path(temporary) / "new", Path(temporary) / "old"
            tree.write(fresh)
            if folder.exists():
                folder.rename(old)
            try:
                fresh.rename(folder)
            except BaseException:
                if old.exists():
                    old.rename(folder)
                raise
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error.strerror})") from error


def _require_ours(folder: Path) -> None:
    """Raises UsageError iff replacing the folder would lose what sq-micro did not write."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder}: is no folder; name one that sq-micro may write")
    ours = {str(path) for path in written_before(folder)} | {MARKER}
    others = (
        sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
        if folder.is_dir()
        else []
    )
    foreign = [name for name in others if name not in ours]
    if foreign:
        raise UsageError(f"{folder}: holds {foreign[0]}, which sq-micro did not write; name another folder")
