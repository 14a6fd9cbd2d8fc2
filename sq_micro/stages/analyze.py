"""Stage 1: a Keras or TFLite file becomes a canonical float graph."""

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
from sq_micro.quant.calibrate import observe
from sq_micro.quant.samples import Samples, load_samples
from sq_micro.rounding import collect_statistics, equalise
from sq_micro.stages.records import AnalyzeRecord, save_record
from sq_micro.tflite.importing.load import load_tflite
from sq_micro.workspace import Stage, Workspace

GIVEN_FILE = "01_model.tflite"  # a copy of an int8 model's own file, to hold golden outputs against
_TFLITE_SUFFIX = ".tflite"
_CHUNK_BYTES = 1 << 20


def read_model(model: Path) -> tuple[FloatGraph, FloatGraph, AnalyzeRecord]:
    """(as imported, canonical, record), with nothing written. Raises ModelError or UsageError."""
    imported = load_tflite(model) if model.suffix.lower() == _TFLITE_SUFFIX else load_keras(model)
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


def analyze(workspace: Workspace, model: Path, equalise_by: Path | None = None) -> AnalyzeRecord:
    """Import a model and bring it into canonical form.

    equalise_by  samples by which channels of neighbouring layers are scaled against each other; None: as trained
    Raises ModelError, UsageError or DataError.
    """
    imported, graph, record = read_model(model)
    if equalise_by is not None:
        graph = equalised(graph, load_samples(equalise_by, graph.input_shape))
        record = record.model_copy(update={"equalised": True})
    workspace.begin(Stage.ANALYZE)
    write_atomically(workspace / "01_imported.txt", topology_text(imported.topology))
    write_atomically(workspace / "02_canonical.txt", topology_text(graph.topology))
    if graph.given is not None:
        workspace.publish(model, GIVEN_FILE)
    save_float_graph(graph, workspace / "02_canonical.npz")
    save_record(workspace, record)
    return record


def equalised(graph: FloatGraph, samples: Samples) -> FloatGraph:
    """The same network, balanced for rounding. Raises UsageError iff its integers are given and leave nothing to do."""
    if graph.given is not None:
        raise UsageError("--equalise is for float models; an int8 model gives the scales of its channels")
    return equalise(graph, collect_statistics(graph, observe(graph, samples), samples))


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
