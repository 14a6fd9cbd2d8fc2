"""Stage 1: a Keras file becomes a canonical float graph."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sq_micro.errors import UsageError
from sq_micro.frontend.keras_model import load_keras
from sq_micro.ir.float_graph import FloatGraph
from sq_micro.ir.storage import load_float_graph, save_float_graph
from sq_micro.ir.text import topology_text
from sq_micro.ir.topology import total_macs
from sq_micro.passes import canonicalise
from sq_micro.paths import write_atomically
from sq_micro.stages.records import AnalyzeRecord, save_record
from sq_micro.workspace import Stage, Workspace

_CHUNK_BYTES = 1 << 20


def read_model(model: Path) -> tuple[FloatGraph, FloatGraph, AnalyzeRecord]:
    """(as imported, canonical, record), with nothing written. Raises ModelError or UsageError."""
    imported = load_keras(model)
    graph = canonicalise(imported)
    topology = graph.topology
    record = AnalyzeRecord(
        name=topology.name,
        file=model.name,
        sha256=_sha256(model),
        parameters=graph.parameters,
        macs=total_macs(topology),
        input_shape=list(graph.input_shape),
        output_shape=list(topology.shape(topology.output)[1:]),
        operators=[operator.name for operator in topology.operators],
    )
    return imported, graph, record


def analyze(workspace: Workspace, model: Path) -> AnalyzeRecord:
    """Import a model and bring it into canonical form."""
    imported, graph, record = read_model(model)
    workspace.begin(Stage.ANALYZE)
    write_atomically(workspace / "01_imported.txt", topology_text(imported.topology))
    write_atomically(workspace / "02_canonical.txt", topology_text(graph.topology))
    save_float_graph(graph, workspace / "02_canonical.npz")
    save_record(workspace, record)
    return record


def analyzed_graph(workspace: Workspace) -> FloatGraph:
    """What `analyze` left. Raises UsageError iff it did not run."""
    workspace.need(Stage.ANALYZE, "analyze.json")
    return load_float_graph(workspace.need(Stage.ANALYZE, "02_canonical.npz"))


def _sha256(file: Path) -> str:
    state = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                state.update(chunk)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    return state.hexdigest()
