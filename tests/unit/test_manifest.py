"""The manifest of a run, and the one cohort whose content is written down here."""

import gzip
import hashlib
import json
import re
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import msprime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.formats.crypt4gh import encrypt_at_rest
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.manifest import (
    Entry,
    config_digest,
    differences,
    digest_files,
    files_below,
    why_excluded,
    write_manifest,
)
from rehearsal.model import Block, Country, PlantedVariant, Variant
from rehearsal.phenotypes.subjects import standard_noise, subjects

ROOT = Path(__file__).resolve().parents[2]
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
    assert differences(one, two) == []


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
    lines = differences(one, two)
    assert [line.split(":")[0] for line in lines] == ["config_digest", "versions", "b", "c", "d"]
    assert lines[2:] == ["b: another content", "c: only in the first", "d: only in the second"]


def test_where_the_results_go_is_no_part_of_the_configuration():
    assert config_digest(CONFIG) == config_digest(CONFIG | {"results": "elsewhere"})
    assert config_digest(CONFIG) != config_digest(CONFIG | {"seed": 2})


def test_what_is_measured_is_named_with_the_reason(tmp_path):
    excluded = manifest(tmp_path, {})["excluded"]
    assert "latencies were measured" in excluded["queries/answers.parquet"]
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
    assert bool(why_excluded(path)) is excluded


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
    assert name == "manifest" or all(map(why_excluded, kept)), f"{name} makes {kept}"


@given(st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=3)))
def test_every_file_that_only_one_run_has_is_a_difference(files):
    rows = [asdict(Entry(path, len(data), data.hex())) for path, data in files.items()]
    given_files, none = (
        {"format": "", "seed": 1, "config_digest": "", "versions": {}, "files": listed}
        for listed in (rows, [])
    )
    assert differences(given_files, given_files) == []
    assert len(differences(given_files, none)) == len(files)


# --- the golden cohort ----------------------------------------------------------------------

GOLDEN_SEED = 20181
# Drawn by these versions. When one of them is upgraded and a test below fails: read its change
# log for what it draws differently, run the test again on the old version to be sure that nothing
# else has changed, then write the new versions and digests here and say so in the release notes:
# users' cohorts of the same seed change too.
GOLDEN_VERSIONS = {"msprime": "1.4.4", "numpy": "2.4.6", "tskit": "1.0.3"}
GOLDEN_PEOPLE = "d389b007a79ff06a1383a2db3793719a1994601ffb7ac3d4fcf70de3a2c35e1c"
GOLDEN_GENOMES = "4cdec5653c3e522d4bdf64b6f6e4fca0264cf550ce37a7fccef8f52aac297d4e"
GOLDEN_NOISE = "16028342bbd0b7b29dcc2a7ee9d1f7a0a56f42d9f63b1eb99f7ae5f5440b125b"


def changed_versions():
    """The packages that draw, where they are not those that the golden cohort was drawn by."""
    now = {name: version(name) for name in GOLDEN_VERSIONS}
    return {name: now[name] for name in now if now[name] != GOLDEN_VERSIONS[name]} or "no package"


@pytest.fixture(scope="module")
def golden():
    """People and genomes: 3 countries of 12 people with families, 50 kb, one planted variant."""
    codes = ("ES", "FI", "IE")
    countries = [Country(c, c, 50.0, 10.0, 5.0, c, 50.0, 10.0, "no") for c in codes]
    demography = msprime.Demography.island_model([5_000] * 3, 1e-3)
    for population, code in zip(demography.populations, codes, strict=True):
        population.name = code
    planted = [
        PlantedVariant(
            Variant("chr22", 20_025_000, "ACT", "A"), "GENE", "v", "dominant", "", {"*": 0.1}
        )
    ]
    people, plan = plan_people(countries, dict.fromkeys(codes, 12), 0.5, planted, GOLDEN_SEED)
    ts = simulate_block(
        *(Block("chr22", 20_000_000, 20_050_000), people, plan, planted),
        SimulationSettings(demography, mutation_rate=1.29e-8, kappa=4.0, seed=GOLDEN_SEED),
        uniform_map("chr22", 1.1e-8),
    )
    return people, ts


def sha256(*parts):
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def test_the_golden_people_are_those_of_the_first_release(golden):
    found = sha256(golden[0].to_csv(index=False))
    assert found == GOLDEN_PEOPLE, f"other people; upgraded: {changed_versions()}"


def test_the_golden_genomes_are_those_of_the_first_release(golden):
    sites = ((v.site.position, v.alleles, v.genotypes.tolist()) for v in golden[1].variants())
    assert sha256(*sites) == GOLDEN_GENOMES, f"other genomes; upgraded: {changed_versions()}"


def test_the_golden_noise_is_that_of_the_first_release(golden):
    noise = standard_noise(subjects(golden[0], 2026), GOLDEN_SEED, "height")
    found = sha256(*(f"{value:.12f}" for value in noise))
    assert found == GOLDEN_NOISE, f"other noise; upgraded: {changed_versions()}"
