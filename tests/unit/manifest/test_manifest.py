"""The manifest of a run: what is in it, and how two are compared."""

import gzip
import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.formats.crypt4gh import encrypt_at_rest
from rehearsal.manifest import (
    FileEntry,
    compare_manifests,
    config_digest,
    digest_files,
    exclusion_reason,
    files_below,
    write_manifest,
)

ROOT = Path(__file__).resolve().parents[3]
CONFIG = {"seed": 1, "results": "results", "cohort": {"people_per_country": 12}}


def manifest(folder, files, config=CONFIG, **versions):
    """The manifest of a run that made these files: content by path."""
    for path, content in files.items():
        file = folder / "results" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    results = folder / "results"
    entries = digest_files(results, [results / path for path in files], threads=2)
    write_manifest(folder / "manifest.json", entries, config["seed"], config, versions)
    return json.loads((folder / "manifest.json").read_text())


def test_a_manifest_holds_path_bytes_and_digest_of_every_file_in_order(tmp_path):
    found = manifest(tmp_path, {"b/two.txt": b"two", "a.txt": b""})
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [entry["path"] for entry in found["files"]] == ["a.txt", "b/two.txt"]
    assert found["files"][0] == {"path": "a.txt", "bytes": 0, "sha256": nothing}
    assert found["seed"] == 1


def test_equal_runs_have_equal_manifests_byte_for_byte(tmp_path):
    files = {"a": b"1", "c": b"3", "b": b"2"}
    for run, order in (("one", files), ("two", dict(reversed(files.items())))):
        manifest(tmp_path / run, order, msprime="1")
    one, two = ((tmp_path / run / "manifest.json").read_bytes() for run in ("one", "two"))
    assert one == two


def test_another_compressor_makes_no_other_file(tmp_path):
    one = manifest(tmp_path / "one", {"a.gz": gzip.compress(b"same" * 99, 0)})
    two = manifest(tmp_path / "two", {"a.gz": gzip.compress(b"same" * 99, 9)})
    assert one["files"] != two["files"]  # bytes on disk are told as well
    assert compare_manifests(one, two) == []


def test_a_genome_encrypted_at_rest_is_the_same_content_whatever_the_key(tmp_path):
    digests = []
    for run in ("one", "two"):
        node = tmp_path / run / "nodes" / "FI"
        (node / "genomes").mkdir(parents=True)
        (node / "genomes" / "a.bcf").write_bytes(gzip.compress(b"same" * 99))
        digests += digest_files(tmp_path / run, [node / "genomes" / "a.bcf"])
        encrypt_at_rest(node)
        digests += digest_files(tmp_path / run, [node / "genomes" / "a.bcf.c4gh"])
    assert len({entry.sha256 for entry in digests}) == 1
    assert {entry.path for entry in digests[1::2]} == {"nodes/FI/genomes/a.bcf.c4gh"}


def test_differences_name_what_was_given_and_which_files_differ(tmp_path):
    one = manifest(tmp_path / "one", {"a": b"1", "b": b"2", "c": b"3"}, msprime="1")
    config = CONFIG | {"cohort": {"people_per_country": 13}}
    two = manifest(tmp_path / "two", {"a": b"1", "b": b"!", "d": b"3"}, config, msprime="2")
    lines = compare_manifests(one, two)
    assert [line.split(":")[0] for line in lines] == ["config_digest", "versions", "b", "c", "d"]
    assert lines[2:] == [
        "b: different content",
        "c: only in the first run",
        "d: only in the second run",
    ]


def test_where_the_results_go_is_no_part_of_the_configuration():
    assert config_digest(CONFIG) == config_digest(CONFIG | {"results": "elsewhere"})
    assert config_digest(CONFIG) != config_digest(CONFIG | {"seed": 2})


def test_what_is_measured_is_named_with_the_reason(tmp_path):
    excluded = manifest(tmp_path, {})["excluded"]
    assert "measured latencies" in excluded["queries/answers.parquet"]
    assert {"report", "logs", "benchmarks", "bench"} <= excluded.keys()


def test_folders_are_told_file_by_file_without_hidden_ones(tmp_path):
    for name in ("tables/a", "tables/.snakemake_timestamp", "b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = files_below([tmp_path / "tables", tmp_path / "b"])
    assert sorted(found) == [tmp_path / "b", tmp_path / "tables/a"]


def test_a_file_outside_the_results_is_an_error(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(ValueError, match="subpath"):
        digest_files(tmp_path / "results", [tmp_path / "a"])


@pytest.mark.parametrize(
    ("path", "excluded"),
    [
        ("logs/a/b.log", True),
        ("nodes/FI/issuer.jwks.json", True),
        ("nodes/FI/keys/c4gh.sec", True),
        ("nodes/FI/keys/identity.pem", True),
        ("nodes/FI/analysis_keys.json", True),
        ("network/coordinator.pem", True),
        ("queries/answers.parquet", True),
        ("queries/suite.json", False),
        ("exports/all/FI/chr22.bcf", False),
        ("exports/all/FI/chr22.bcf.csi", True),
        ("nodes/FI/genomes/chr22.bcf.csi.c4gh", True),
        ("nodes/FI/csi", False),
        ("exports/all/FI/chr22.bcf.c4gh", True),
        ("exports/all/FI/tables.c4gh/people.tsv.c4gh", True),
        ("exports/all/truth.c4gh/queries.json.c4gh", True),
        ("exports/all/truth/queries.json", False),
        ("nodes/FI/node.yaml", False),
        ("truth/report", False),
        ("reports", False),
    ],
)
def test_a_folder_is_excluded_with_all_that_is_in_it(path, excluded):
    assert bool(exclusion_reason(path)) is excluded


def rules():
    """(name, text of its outputs) of every rule that the Snakefile includes."""
    found = []
    for path in re.findall(r'^include: "(.*)"', (ROOT / "Snakefile").read_text(), re.M):
        for text in re.split(r"^rule ", (ROOT / path).read_text(), flags=re.M)[1:]:
            outputs = re.search(r"^    output:\n(.*?)^    \w+:", text, re.M | re.S)
            found.append((text.split(":")[0], outputs[1] if outputs else ""))
    return found


@pytest.mark.parametrize(("name", "outputs"), rules())
def test_what_a_rule_makes_is_in_the_manifest_or_excluded_with_a_reason(name, outputs):
    if f"rules.{name}.output" in (ROOT / "workflow/rules/manifest.smk").read_text():
        return
    if re.search(
        r"{EXPORTED}|{RESULTS}/exports/", outputs
    ):  # asked for by the configuration; encrypted ones are left out
        assert "exported_files()" in (ROOT / "workflow/rules/manifest.smk").read_text()
        return
    paths = re.findall(r'(temp\(\s*)?f"\{RESULTS\}/([^"]+)"', outputs)
    kept = [re.sub(r"\{+country\}+", "FI", path) for temporary, path in paths if not temporary]
    assert paths
    assert name == "write_manifest" or all(map(exclusion_reason, kept)), f"{name} makes {kept}"


@given(st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=3)))
def test_every_file_that_only_one_run_has_is_a_difference(files):
    rows = [asdict(FileEntry(path, len(data), data.hex())) for path, data in files.items()]
    given_files, none = (
        {"format": "", "seed": 1, "config_digest": "", "versions": {}, "files": listed}
        for listed in (rows, [])
    )
    assert compare_manifests(given_files, given_files) == []
    assert len(compare_manifests(given_files, none)) == len(files)
