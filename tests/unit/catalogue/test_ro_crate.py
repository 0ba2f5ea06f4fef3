"""A run as a research object crate."""

import io
import json
from pathlib import Path

import pytest
import requests
import rocrate
from urllib3 import HTTPResponse

from rehearsal.catalogue.ro_crate import write_crate


def test_a_crate_names_every_file_with_its_digest(tmp_path):
    manifest = {
        "seed": 7,
        "config_digest": "c0",
        "versions": {"msprime": "1.4.4"},
        "files": [{"path": "cohort/people.parquet", "bytes": 12, "sha256": "ab"}],
    }
    write_crate(tmp_path / "ro-crate-metadata.json", manifest, "A run", 2026)
    crate = json.loads((tmp_path / "ro-crate-metadata.json").read_text())
    by_id = {entity["@id"]: entity for entity in crate["@graph"]}
    file = by_id["cohort/people.parquet"]
    assert (file["sha256"], file["contentSize"]) == ("ab", "12")
    assert by_id["./"]["license"] == {"@id": "https://opensource.org/license/mit"}
    assert by_id["#run"]["instrument"] == [{"@id": "#msprime"}]
    assert "seed 7" in by_id["#run"]["description"]


class OnlyTheContext(requests.adapters.BaseAdapter):
    """The web as the validator sees it: the JSON-LD context of RO-Crate, which ro-crate-py has."""

    def send(self, request, **_):
        content = (Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_bytes()
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        answer.headers["Content-Type"] = "application/ld+json"
        answer.raw = HTTPResponse(io.BytesIO(content), status=200, preload_content=False)
        return answer

    def close(self):
        pass


@pytest.fixture
def offline(tmp_path):
    """A cache of web pages for roc-validator, with what it asks for."""
    cached = pytest.importorskip("requests_cache", reason="roc-validator is not installed")
    path = tmp_path / "pages"
    with cached.CachedSession(str(path), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", OnlyTheContext())
        session.get("https://w3id.org/ro/crate/1.3/context")
    return str(path)


def test_roc_validator_misses_only_a_publisher(offline, tmp_path):
    services = pytest.importorskip("rocrate_validator.services", reason="it is not installed")
    models = pytest.importorskip("rocrate_validator.models")
    crate = tmp_path / "crate"
    files = ["README.txt", "FI/chr22.vcf.gz", "FI/chr22.pvar", "FI/omop/person.csv", "FI/odd.kind"]
    for name in files:
        (crate / name).parent.mkdir(parents=True, exist_ok=True)
        (crate / name).write_text("synthetic")
    manifest = {
        "seed": 7,
        "config_digest": "c0",
        "versions": {"rehearsal": "1.0", "python": "3.11.7", "msprime": "1.4.4"},
        "files": [{"path": name, "bytes": 9, "sha256": "ab"} for name in files],
    }
    write_crate(crate / "ro-crate-metadata.json", manifest, "A run", 2026)
    severity = models.Severity.RECOMMENDED  # the required and the recommended
    result = services.validate(
        models.ValidationSettings(
            rocrate_uri=str(crate), requirement_severity=severity, offline=True, cache_path=offline
        )
    )
    found = [(one.severity.name, one.message) for one in result.get_issues(severity)]
    # who publishes a run is who makes it
    publisher = "The Root Data Entity SHOULD have a `publisher` property (Organization or Person)"
    assert found == [("RECOMMENDED", publisher)]
