"""Requests as Five Safes RO-Crates: what is written is read, and what is missing is named."""

import json

import pytest

from rehearsal.formats.five_safes_crate import CrateError, CrateRequest, read_crate, write_crate

from ..crate_validator import issues, offline

__all__ = ["offline"]

REQUEST = CrateRequest(
    "sha256:" + 64 * "a",
    {"disease": "MONDO:0005010", "steps": [1, 2]},
    "Ann",
    "Hearts",
    "DUO:0000006",
)
CRATE = write_crate(REQUEST, "2026-11-30")


def test_what_is_written_is_read():
    assert read_crate(CRATE) == REQUEST


def test_roc_validator_misses_nothing_that_ro_crate_1_2_requires(offline, tmp_path):
    (tmp_path / "ro-crate-metadata.json").write_bytes(CRATE)
    assert issues(tmp_path, offline, "REQUIRED", "ro-crate-1.2") == []


def without(name, key=None):
    """The crate without an entity, or without a key of it."""
    crate = json.loads(CRATE)
    graph = [one for one in crate["@graph"] if key or one["@id"] != name]
    for one in graph:
        if one["@id"] == name:
            one.pop(key, None)
    return json.dumps({**crate, "@graph": graph}).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "expected JSON with @graph"),
        (without("./"), "the crate: expected an entity './', found none"),
        (without("./", "conformsTo"), "conformsTo of the crate: expected a reference with @id"),
        (without("#agent"), "agent: expected an entity '#agent', found none"),
        (without("#project"), "project: expected an entity '#project', found none"),
        (without("#request", "instrument"), "instrument of the CreateAction: expected a reference"),
        (without("#request", "@type"), "mentions: expected a CreateAction, found"),
        (without("#agent", "name"), "name of '#agent': expected a text, found"),
        (without("#input-steps"), "object of the CreateAction: expected an entity"),
        (CRATE.replace(b"https://w3id.org/5s-crate/0.4", b"https://w3id.org/other"), "5s-crate/"),
        (CRATE.replace(b'"[1, 2]"', b'"[1, "'), "value of '#input-steps': expected JSON"),
    ],
)
def test_what_is_missing_is_named_in_one_line(content, said):
    with pytest.raises(CrateError) as found:
        read_crate(content)
    assert said in str(found.value) and "\n" not in str(found.value)


def test_an_independent_reader_finds_the_request(tmp_path):
    rocrate = pytest.importorskip("rocrate.rocrate")
    (tmp_path / "ro-crate-metadata.json").write_bytes(CRATE)
    crate = rocrate.ROCrate(tmp_path)
    action = crate.root_dataset["mentions"]
    assert action.type == "CreateAction"
    assert action["instrument"] == crate.mainEntity
    assert action["agent"]["name"] == "Ann"
    assert {one["name"]: one["value"] for one in action["object"]}["disease"] == '"MONDO:0005010"'
