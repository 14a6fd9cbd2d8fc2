from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sq_micro.errors import UsageError
from sq_micro.finetune.options import FinetuneOptions
from sq_micro.finetune.request import Request, TrainingSamples, load_request, save_request
from tests.unit.finetune.small_networks import small_network


def small_request(labelled: bool = True) -> Request:
    small = small_network()
    labels = np.arange(len(small.x)) % 4 if labelled else None
    samples = TrainingSamples((small.x * 50).astype(np.int8), 0.02, labels)
    return Request(small.graph, small.ranges, small.integers, samples, FinetuneOptions(epochs=2))


@pytest.mark.parametrize("labelled", [True, False])
def test_what_is_read_is_what_was_written(tmp_path: Path, labelled: bool) -> None:
    request = small_request(labelled)
    read = load_request(save_request(request, tmp_path))
    assert read.key() == request.key()
    assert read.options == request.options
    assert read.ranges == request.ranges
    assert read.samples.x.dtype == np.int8
    assert (read.samples.labels is not None) == labelled


def test_the_key_follows_everything() -> None:
    request = small_request()
    constants = {name: values.copy() for name, values in request.graph.constants.items()}
    constants["w"][0, 0, 0, 0] += 1
    changed = [
        replace(request, options=FinetuneOptions(epochs=3)),
        replace(request, samples=replace(request.samples, labels=None)),
        replace(request, samples=replace(request.samples, scale=0.03)),
        replace(request, start=small_network(bits=4).integers),
        replace(request, ranges=replace(request.ranges, samples=7)),
        replace(request, graph=replace(request.graph, constants=constants)),
    ]
    assert len({request.key(), *(other.key() for other in changed)}) == len(changed) + 1


def test_archives_of_another_request_are_refused(tmp_path: Path) -> None:
    file = save_request(small_request(), tmp_path / "one")
    save_request(small_request(labelled=False), tmp_path / "two")
    (tmp_path / "two" / "samples.npz").replace(tmp_path / "one" / "samples.npz")
    with pytest.raises(UsageError, match="of another request"):
        load_request(file)


@pytest.mark.parametrize("content", ["", "[]", '{"version": 1}', "{"])
def test_what_is_no_request_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "request.json"
    file.write_text(content)
    with pytest.raises(UsageError, match="is not a request for fine-tuning"):
        load_request(file)


def test_a_request_of_another_version_is_refused(tmp_path: Path) -> None:
    file = save_request(small_request(), tmp_path)
    document = json.loads(file.read_text()) | {"version": 99}
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="is of version 99"):
        load_request(file)


def test_missing_samples_are_refused(tmp_path: Path) -> None:
    file = save_request(small_request(), tmp_path)
    (tmp_path / "samples.npz").unlink()
    with pytest.raises(UsageError, match=r"samples\.npz"):
        load_request(file)
