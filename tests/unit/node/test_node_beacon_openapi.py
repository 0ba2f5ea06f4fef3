"""The OpenAPI description names every path, and answers are as it says."""

import subprocess
import sys

import pytest

from rehearsal.node.beacon.entry_types import ENTRY_TYPES

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture(scope="module")
def description(ask):
    status, body = ask("/openapi.json")
    assert status == 200
    return body


def test_every_reference_leads_somewhere(description):
    def references(part):
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    for reference in set(references(description)):
        part = description
        for key in reference.removeprefix("#/").split("/"):
            part = part[key]


def test_every_path_is_described_and_there(description, ask):
    paths = description["paths"]
    assert {f"/{path}" for path in ENTRY_TYPES} <= set(paths)
    for path in paths:
        if "get" not in paths[path]:
            assert ask(path)[0] == 405, path
            continue
        status, _ = ask(path.replace("{id}", "GDI-FI-REHEARSAL-1"))
        described = path.replace("/", " ").split()
        assert status == 200 or described[:1] in (["g_variants"], ["cohorts"]), path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/g_variants", {"query": {"requestedGranularity": "record"}}),
        ("/individuals", {"query": {"requestedGranularity": "boolean"}}),
        ("/datasets", {}),
        ("/g_variants", {"query": {"requestParameters": {"start": [1]}}}),
    ],
)
def test_answers_are_as_described(description, ask, path, body):
    status, answer = ask(path, body)
    operation = description["paths"][path]["post"]
    key = "200" if status == 200 else "4XX"
    schema = operation["responses"][key]["content"]["application/json"]["schema"]
    document = {**schema, "components": description["components"]}
    jsonschema.Draft202012Validator(document).validate(answer)


def test_the_api_imports_nothing_heavy():
    """An idle node must stay small: 28 of them run on one machine."""
    program = "import sys, rehearsal.node.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not {"pandas", "pyarrow", "numba", "pysam", "scipy"} & set(done.stdout.split())


def test_a_token_may_be_shown_and_need_not(ask):
    _, description = ask("/openapi.json")
    assert description["security"] == [{}, {"passport": []}]
    scheme = description["components"]["securitySchemes"]["passport"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
