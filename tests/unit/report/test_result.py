"""`result.json` and its schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from sq_micro.report.result import SCHEMA_VERSION, Result, schema_path
from sq_micro.report.write_schema import schema_text
from tests.unit.report.results import made_result

SCHEMA = json.loads(schema_path().read_text(encoding="utf-8"))


def test_the_schema_beside_the_code_is_up_to_date() -> None:
    stored = schema_path().read_text(encoding="utf-8")
    assert stored == schema_text(), "python -m sq_micro.report.write_schema"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"]["enum"][-1] == SCHEMA_VERSION


def test_a_file_of_the_version_before_is_read() -> None:
    document = json.loads(made_result().to_json())
    del document["board"]["cycle_model"]
    assert Result.model_validate({**document, "schema_version": "1.1"}).board.cycle_model is None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"accuracy": None},
        {"board__clock_hz": None, "measurement__latency_s": None, "measurement__cycles": None},
        {"memory__worst_case_stack_bytes": None, "memory__measured_stack_bytes": None},
        {"measurement__instructions": None, "measurement__cycle_source": "none"},
        {"accuracy__metric": "binary"},
        {"board__cycle_model": None},
        {"board__cycle_model__leaves_out": None, "board__cycle_model__wait_factor": 1.25},
    ],
)
def test_what_is_written_suits_the_schema_and_is_read_back(changes: dict[str, Any]) -> None:
    result = made_result(**changes)
    document = json.loads(result.to_json())
    jsonschema.validate(document, SCHEMA)
    assert Result.model_validate(document) == result
    assert document["schema_version"] == SCHEMA_VERSION
    assert document["tool"]["name"] == "sq-micro"


def test_names_in_the_file_are_not_pythons() -> None:
    accuracy = json.loads(made_result(accuracy__confusion=None).to_json())["accuracy"]
    assert accuracy == {"metric": "top1", "samples": 360, "float": 0.98611, "quantized": 0.975, "confusion": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("model", "sha256"), "xyz"),
        (("accuracy", "float"), 1.5),
        (("memory", "flash_bytes", "total"), -1),
        (("bits", "weights", "conv2d"), 7),
        (("measurement", "runs"), 0),
        (("measurement", "cycle_source"), "guessed"),
        (("measurement", "latency_s"), "3 ms"),
        (("schema_version",), "0.9"),
        (("colour",), "white"),
        (("board", "colour"), "white"),
        (("board", "cycle_model", "trust"), "guessed"),
        (("board", "cycle_model", "wait_factor"), 0.5),
    ],
)
def test_code_and_schema_refuse_the_same(path: tuple[str, ...], value: object) -> None:
    document = json.loads(made_result().to_json())
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
    with pytest.raises(ValidationError):
        Result.model_validate(document)


@pytest.mark.parametrize("key", ["schema_version", "tool", "accuracy", "memory", "verification"])
def test_the_schema_promises_every_part(key: str) -> None:
    """What is not known is null in the file, not absent from it."""
    document = json.loads(made_result().to_json())
    del document[key]
    with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
        jsonschema.validate(document, SCHEMA)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValidationError):
        made_result(measurement__latency_s=float("nan"))
