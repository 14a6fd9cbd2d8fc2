"""Images for the MLPerf Tiny runner, driven by a client that was written from the description of the protocol."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import LinkError
from sq_micro.measure.mlperf.bridge import Bridge, Endpoint, PtyEndpoint, TcpEndpoint
from sq_micro.reference.interpreter import run
from sq_micro.stages.mlperf import link_to
from sq_micro.stages.quantize import executed_graph
from sq_micro.workspace import Workspace
from tests.acceptance.command_line import sq_micro
from tests.acceptance.conftest import Digits
from tests.mlperf.client import Client, accuracy, dataset, one, performance

pytestmark = [
    pytest.mark.xdist_group("mlperf"),
    pytest.mark.skipif(os.name != "posix", reason="the image for the host is a POSIX program"),
]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "dscnn_kws"


@pytest.fixture(scope="module")
def on_host(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits, prepared for the host. They stand for ic01: bytes of pixels."""
    out = deployed(digits, tmp_path_factory.mktemp("host"), "host")
    result = json.loads((out / "result.json").read_text())
    result["measurement"]["latency_s"] = 0.5  # a host has none; the loop count needs one
    (out / "result.json").write_text(json.dumps(result))
    prepared(digits, out)
    return out


def deployed(digits: Digits, out: Path, board: str) -> Path:
    ran = sq_micro(
        *("deploy", digits.model, "--board", board, "--calibrate", digits.calibrate, "--evaluate", digits.evaluate),
        *("--weight-bits", "4", "--samples", "4", "--runs", "1", "--out", out),
    )
    assert ran.code == 0, ran.err
    return out


def prepared(digits: Digits, out: Path) -> None:
    ran = sq_micro("mlperf", "prepare", "--benchmark", "ic01", "--evaluate", digits.evaluate, "--out", out)
    assert ran.code == 0, ran.err


def window(out: Path) -> tuple[int, int]:
    """Inferences and warm-up, from the script for performance mode."""
    iterations, warm_up = (out / "mlperf" / "tests_performance.yaml").read_text().split("infer ")[1].split()
    return int(iterations), int(warm_up)


@pytest.mark.parametrize("endpoint", [PtyEndpoint, lambda: TcpEndpoint(0)], ids=["pty", "tcp"])
def test_the_commands_are_those_of_the_protocol(on_host: Path, endpoint: type[Endpoint]) -> None:
    with Bridge(link_to(Workspace(on_host), None), endpoint()) as bridge, Client(bridge.address) as client:
        assert client.identity() == ("host", "ic01")
        client.download(bytes(range(64)))
        assert client.ask("db print")[0] == "m-buffer-00-01-02-03-04-05-06-07"
        assert len(client.ask("db print")) == 8
        first = client.infer(3, 2)
        assert client.infer(1, 0).scores == first.scores, "the input outlives the inference"
        assert len(first.scores) == 10
        assert abs(sum(first.scores) - 1.0) < 0.02
        assert one(r"m-results-\[(.*)\]", client.ask("results")[0]).split(",")[0] == f"{first.scores[0]:.3f}"
        assert client.ask("infer 1")[0] == "m-warmup-start-10", "as the reference firmware has it"
        assert client.ask("timestamp")[0].startswith("m-lap-us-")
        assert client.ask("nonsense") == ["e-[Unknown command: nonsense]"]
        assert client.ask("x" * 300) == [f"e-[Unknown command: {'x' * 80}]"]
        for wrong in ("db load 0", "db load", "db", "db abc", "db zz", "infer 0", "infer 1 -1", ""):
            assert client.ask(wrong)[0].startswith("e-["), wrong
        assert "exceeds maximum of 64" in client.ask("db load 65")[0]
        assert client.ask("db 0102") == [], "what was not announced is not taken"
        assert client.ask("help")


def test_accuracy_mode_decides_as_the_reference(on_host: Path) -> None:
    samples = dataset(on_host / "mlperf" / "dataset" / "ic01")[:150]
    graph = executed_graph(Workspace(on_host))
    pixels = np.stack([np.frombuffer(data, np.uint8) for data, _ in samples]).reshape(-1, 8, 8, 1)
    decided = run(graph, graph.quantize_input(pixels * np.float32(1 / 16))).argmax(axis=1)
    with Bridge(link_to(Workspace(on_host), None), PtyEndpoint()) as bridge, Client(bridge.address) as client:
        counted = accuracy(client, samples)
    assert counted == int((decided == [label for _, label in samples]).sum())


@pytest.mark.simulator
def test_performance_mode_has_a_valid_window(digits: Digits, tmp_path: Path) -> None:
    out = deployed(digits, tmp_path / "out", "mps2_an386")  # the slowest clock: ten seconds are soon over
    prepared(digits, out)
    latency_s = json.loads((out / "result.json").read_text())["measurement"]["latency_s"]
    iterations, warm_up = window(out)
    data, _ = dataset(out / "mlperf" / "dataset" / "ic01")[0]
    with Bridge(link_to(Workspace(out), "simulator"), PtyEndpoint()) as bridge, Client(bridge.address) as client:
        rate = performance(client, data, iterations, warm_up, windows=1)
    assert rate == pytest.approx(1 / latency_s, rel=0.02), "the input is copied anew for each inference"


def test_a_device_that_goes_away_ends_the_bridge(on_host: Path) -> None:
    link = link_to(Workspace(on_host), None)
    with Bridge(link, PtyEndpoint()) as bridge:
        link._child._process.kill()  # type: ignore[attr-defined]
        with pytest.raises(LinkError, match="has ended"):
            bridge.wait(10.0)


def test_nothing_prepared_is_said(digits: Digits, tmp_path: Path) -> None:
    assert sq_micro("mlperf", "serve", "--out", tmp_path).code == 2
    assert sq_micro("mlperf", "prepare", "--benchmark", "ic01", "--out", tmp_path).code == 2


@pytest.mark.long
@pytest.mark.simulator
@pytest.mark.skipif(not SHARED.is_dir(), reason="the trained DS-CNN is not on this machine")
def test_ds_cnn_in_both_modes(tmp_path: Path) -> None:
    for board in ("host", "nucleo_l4r5zi"):
        out = tmp_path / board
        model, calibrate, evaluate = (SHARED / name for name in ("model.keras", "calib.npz", "eval.npz"))
        ran = sq_micro(
            *("deploy", model, "--board", board, "--calibrate", calibrate, "--evaluate", evaluate),
            *("--weight-bits", "4", "--samples", "4", "--runs", "1", "--out", out),
        )
        assert ran.code == 0, ran.err
    measured = json.loads((tmp_path / "nucleo_l4r5zi" / "result.json").read_text())
    host = json.loads((tmp_path / "host" / "result.json").read_text())
    host["measurement"]["latency_s"] = measured["measurement"]["latency_s"]
    (tmp_path / "host" / "result.json").write_text(json.dumps(host))
    for board in ("host", "nucleo_l4r5zi"):
        out = tmp_path / board
        ran = sq_micro("mlperf", "prepare", "--benchmark", "kws01", "--evaluate", SHARED / "eval.npz", "--out", out)
        assert ran.code == 0, ran.err
    samples = dataset(tmp_path / "host" / "mlperf" / "dataset" / "kws01")
    with (
        Bridge(link_to(Workspace(tmp_path / "host"), None), PtyEndpoint()) as bridge,
        Client(bridge.address) as client,
    ):
        assert accuracy(client, samples) / len(samples) == host["accuracy"]["quantized"]
    with (
        Bridge(link_to(Workspace(tmp_path / "nucleo_l4r5zi"), None), PtyEndpoint()) as bridge,
        Client(bridge.address) as client,
    ):
        rate = performance(client, samples[0][0], *window(tmp_path / "nucleo_l4r5zi"))
    assert rate == pytest.approx(1 / measured["measurement"]["latency_s"], rel=0.01)
