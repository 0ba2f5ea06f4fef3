"""A run as a research object crate."""

import json

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
    assert (
        by_id["./"]["license"] == {"@id": "https://opensource.org/license/mit"}
        or by_id["./"]["license"] == "https://opensource.org/license/mit"
    )
    assert by_id["#run"]["instrument"] == [{"@id": "#msprime"}]
    assert "seed 7" in by_id["#run"]["description"]
