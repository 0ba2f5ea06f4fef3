"""A run as a research object crate."""

import json

from rehearsal.catalogue.ro_crate import write_crate

from ..crate_validator import issues, offline

__all__ = ["offline"]


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


def test_roc_validator_misses_only_a_publisher(offline, tmp_path):
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
    found = issues(crate, offline, "RECOMMENDED")  # and the required
    # who publishes a run is who makes it
    publisher = "The Root Data Entity SHOULD have a `publisher` property (Organization or Person)"
    assert found == [("RECOMMENDED", publisher)]
