"""The whole path: parent, child, checkpoint, result."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sq_micro.errors import SqMicroError, TrainingError, UsageError
from sq_micro.finetune.batches import split_samples
from sq_micro.finetune.launch import finetune
from sq_micro.finetune.network import FakeQuantNetwork
from sq_micro.finetune.options import Augmentation, FinetuneOptions
from sq_micro.finetune.progress import Round
from sq_micro.finetune.request import Request, TrainingSamples, save_request
from sq_micro.quant.graph import QuantGraph
from sq_micro.quant.quantize import quantize
from sq_micro.quant.samples import load_samples
from sq_micro.quant.storage import load_quant_graph
from sq_micro.reference.interpreter import run, run_parallel
from tests.acceptance.networks import bitwidths, network, network_folder
from tests.unit.finetune.small_networks import Small, small_network

OPTIONS = FinetuneOptions(epochs=12, batch=16, learning_rate=0.01, scale_learning_rate=0.005, round_steps=10)


def train(
    small: Small, folder: Path, options: FinetuneOptions = OPTIONS, **given: Any
) -> tuple[QuantGraph, list[Round]]:
    rounds: list[Round] = []
    x, labels = given.get("x", small.x), given.get("labels")
    result = finetune(small.graph, small.ranges, small.integers, x, labels, options, folder, rounds.append)
    return result, rounds


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_run_goes_on_to_the_result_of_an_unbroken_one(tmp_path: Path) -> None:
    small = small_network(samples=160)
    unbroken, rounds = train(small, tmp_path / "unbroken")
    samples = TrainingSamples(small.x, 1.0, None)
    file = save_request(Request(small.graph, small.ranges, small.integers, samples, OPTIONS), tmp_path / "killed")
    command = [sys.executable, "-m", "sq_micro.finetune", "--request", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if json.loads(line)["step"] >= 30:
                child.send_signal(signal.SIGKILL)
                break
    assert child.returncode == -signal.SIGKILL
    continued, again = train(small, tmp_path / "killed")
    assert continued.digest() == unbroken.digest()
    assert [replace(found, seconds=0.0) for found in again] == [replace(found, seconds=0.0) for found in rounds]
    assert rounds[-1].step == rounds[-1].steps
    assert min(found.held_out for found in rounds) < rounds[0].held_out
    assert unbroken.digest() != small.integers.digest()
    assert load_quant_graph(tmp_path / "killed" / "result.npz").digest() == unbroken.digest()


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [False, True])
def test_digits_get_better_and_the_fake_quant_network_agrees_with_the_reference(tmp_path: Path, labelled: bool) -> None:
    known = network("digits_cnn")
    samples = load_samples(network_folder("digits_cnn") / "calib.npz", known.graph.input_shape)
    start = quantize(known.graph, known.ranges, bitwidths(known.graph, "2"))
    options = FinetuneOptions(epochs=30, batch=32, augmentation=Augmentation(shift_columns=1))
    rounds: list[Round] = []
    labels = samples.y if labelled else None
    result = finetune(known.graph, known.ranges, start, samples, labels, options, tmp_path, rounds.append)
    assert (rounds[0].accuracy is not None) == labelled

    real = known.evaluation.real(0, len(known.evaluation))
    codes = result.quantize_input(real)
    outputs = run_parallel(result, codes)
    _, fake = FakeQuantNetwork(result, learn_ranges=True).call(real.reshape(codes.shape))
    assert (np.asarray(fake).argmax(axis=1) == outputs.argmax(axis=1)).mean() >= 0.995

    def accuracy(graph: QuantGraph) -> float:
        return float((run_parallel(graph, codes).argmax(axis=1) == known.evaluation.y).mean())

    assert accuracy(result) > accuracy(start) + 0.05
    assert result.bitwidths == start.bitwidths


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_best(tmp_path: Path) -> None:
    small = small_network()
    x = small.x.copy()
    x[split_samples(len(x), OPTIONS).train] = 3e38  # finite, but no sum of them is
    with pytest.raises(
        TrainingError, match=r"no number any more .* lower the learning rate .* is in .*result\.npz"
    ) as error:
        train(small, tmp_path, x=x)
    assert "\n" not in str(error.value)
    assert load_quant_graph(tmp_path / "result.npz").bitwidths == small.integers.bitwidths


@pytest.mark.slow
@pytest.mark.parametrize("head", ["sigmoid", "values"])
def test_other_heads_train_too(tmp_path: Path, head: str) -> None:
    small = small_network(head)
    result, rounds = train(small, tmp_path, replace(OPTIONS, epochs=4))
    assert all(found.agreement is None for found in rounds)
    assert min(found.held_out for found in rounds) <= rounds[0].held_out
    assert run(result, result.quantize_input(small.x)).shape == (len(small.x), 4)


def test_few_samples_are_refused_at_once(tmp_path: Path) -> None:
    small = small_network()
    with pytest.raises(UsageError, match="20 training samples: fine-tuning needs at least 32"):
        train(small, tmp_path, x=small.x[:20])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(96, np.float32), "labels are float32; integers"),
        (np.zeros(95, np.int64), "one for each of the 96 training samples"),
        (np.eye(4, dtype=np.int64)[np.zeros(96, int)], r"labels have shape \(96, 4\)"),
        (np.full(96, 4), r"labels are 4\.\.4; the network has classes 0\.\.3"),
        (np.full(96, -1), r"labels are -1\.\.-1"),
    ],
)
def test_labels_of_the_wrong_kind_are_refused(tmp_path: Path, labels: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train(small_network(), tmp_path, labels=labels)


@pytest.mark.parametrize("head", ["sigmoid", "values"])
def test_labels_for_a_network_without_classes_are_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(UsageError, match="labels are for networks that end in"):
        train(small_network(head), tmp_path, labels=np.zeros(96, np.int64))


def test_samples_that_do_not_suit_are_refused(tmp_path: Path) -> None:
    small = small_network()
    with pytest.raises(UsageError, match=r"shape \(6, 6\); the network takes"):
        train(small, tmp_path, x=small.x[..., 0])
    broken = small.x.copy()
    broken[3, 2, 1, 0] = np.nan
    with pytest.raises(UsageError, match="NaN or infinity"):
        train(small, tmp_path, x=broken)


@pytest.mark.slow
def test_the_child_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sq_micro.finetune", "--request", str(tmp_path / "none.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == UsageError.exit_code
    assert done.stdout == ""
    assert "is not a request for fine-tuning" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_what_ends_the_progress_ends_the_child(tmp_path: Path) -> None:
    class StoppedError(SqMicroError):
        pass

    def stop(_: Round) -> None:
        raise StoppedError

    small = small_network()
    with pytest.raises(StoppedError):
        finetune(small.graph, small.ranges, small.integers, small.x, None, OPTIONS, tmp_path, stop)
    assert (tmp_path / "checkpoint.npz").is_file()
