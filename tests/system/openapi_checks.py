"""Check running services against their own OpenAPI description."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest


def check_answer(description: Any, method: str, path: str, status: int, body: Any) -> None:
    """Fail for a JSON answer that does not match the description."""
    jsonschema = pytest.importorskip("jsonschema")
    places = description["paths"]
    place = path.partition("?")[0]
    if place not in places:
        patterns = {re.sub(r"\{\w+\}", "[^/]+", one): one for one in places}
        (place,) = (one for pattern, one in patterns.items() if re.fullmatch(pattern, place))
    answers = places[place][method.lower()]["responses"]
    answer = answers.get(str(status)) or answers[f"{status // 100}XX"]
    schema = answer["content"]["application/json"]["schema"]
    document = {**schema, "components": description["components"]}
    jsonschema.Draft202012Validator(document).validate(body)


def fuzz(
    url: str,
    folder: Path,
    headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, object] | None = None,
    unavailable: tuple[str, ...] = (),
) -> None:
    """Fail for an answer with a status of 500 or more, or one that violates its schema.

    ``folder``: where the tool may write. ``parameters``: fixed values of parameters in the URL or
    the path. ``unavailable``: statuses from 500 on that mean that no node behind the service
    answered.
    """
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    expected = json.dumps(["2xx", "3xx", "4xx", *unavailable])
    lines = ["[checks]", f"not_a_server_error.expected-statuses = {expected}"]
    given = [f"{json.dumps(name)} = {json.dumps(one)}" for name, one in (parameters or {}).items()]
    (folder / "schemathesis.toml").write_text("\n".join(["[parameters]", *given, *lines]) + "\n")
    asked = [part for name, one in (headers or {}).items() for part in ("-H", f"{name}: {one}")]
    done = subprocess.run(
        [
            *(program, "--config-file", "schemathesis.toml"),
            *("run", f"{url}/openapi.json", "--no-color", "--warnings", "off", *asked),
            *("--seed", "1", "--generation-deterministic", "--max-examples", "5"),
            *("--phases", "examples,fuzzing", "--workers", "1"),
            *("--checks", "not_a_server_error,response_schema_conformance"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
