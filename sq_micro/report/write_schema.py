"""Writes the JSON schema of `result.json`: `python -m sq_micro.report.write_schema`, after a change of `Result`."""

from __future__ import annotations

import json

from sq_micro.paths import write_atomically
from sq_micro.report.result import SCHEMA_VERSION, Result, schema_path


def schema_text() -> str:
    """The schema of what `Result.to_json` writes, as the file holds it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"sq-micro result.json, version {SCHEMA_VERSION}; written by sq_micro.report.write_schema",
        **Result.model_json_schema(by_alias=True, mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the schema beside `result.py`."""
    write_atomically(schema_path(), schema_text())


if __name__ == "__main__":
    main()
