"""A dataset's files and the truth beside them, read back by other means than wrote them."""

import gzip
import hashlib
import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pysam
import pytest
from crypt4gh.keys import c4gh
from google.protobuf.json_format import Parse
from phenopackets.schema.v2 import Phenopacket
from pyshacl import validate
from rdflib import Graph

from rehearsal.catalogue.ro_crate import FILE_NAME
from rehearsal.dataset.place_files import WRITERS
from rehearsal.dataset.presets import RUN_ONLY_FORMATS
from rehearsal.export.settings import FORMATS
from rehearsal.files import content_digest
from rehearsal.formats.crypt4gh import open_decrypting

needs_bcftools = pytest.mark.skipif(
    shutil.which("bcftools") is None, reason="bcftools is not installed"
)


def bcsq_of_small(path):
    """INFO/BCSQ by place and alleles, without structural variants, whose ends csq does not read."""
    with pysam.VariantFile(str(path)) as vcf:
        return {
            (record.start, record.alleles): record.info["BCSQ"]
            for record in vcf
            if "BCSQ" in record.info and "<" not in "".join(record.alts)
        }


def genotypes(path):
    """Yield (contig, start, ref, alt) and copies by sample, each alternate allele cut by itself."""
    with pysam.VariantFile(str(path)) as vcf:
        for record in vcf:
            for number, alt in enumerate(record.alts, start=1):
                copies = {
                    name: sum(allele == number for allele in call.allele_indices)
                    for name, call in record.samples.items()
                }
                ref, own = record.ref, alt
                while min(len(ref), len(own)) > 1 and ref[-1] == own[-1]:
                    ref, own = ref[:-1], own[:-1]
                yield (record.contig, record.start, ref, own), copies


def counted(dataset):
    """Rows like those of truth/allele_counts.tsv.gz, counted in the VCF files."""
    pedigree = pd.read_csv(dataset / "truth/pedigree.tsv", sep="\t", index_col="id")
    for path in sorted(dataset.glob("*/*.vcf.gz")):
        for variant, copies in genotypes(path):
            for sex in ("female", "male"):
                some = [n for name, n in copies.items() if pedigree["sex"][name] == sex]
                hom, het = some.count(2), some.count(1)
                counts = (2 * len(some), 2 * hom + het, hom, het, 0)
                yield (*variant, path.parent.name, sex, *counts)


def test_the_truth_counts_what_the_vcf_files_hold(dataset):
    truth = pd.read_csv(dataset / "truth/allele_counts.tsv.gz", sep="\t")
    expected = pd.DataFrame(counted(dataset), columns=truth.columns)
    keys = list(truth.columns[:6])
    left, right = (t.sort_values(keys).reset_index(drop=True) for t in (truth, expected))
    pd.testing.assert_frame_equal(left, right)
    assert len(truth) > 100


@needs_bcftools
def test_the_gene_model_beside_the_reference_repeats_the_consequences(dataset, tmp_path):
    """BRCA1 reaches beyond the window: its bases outside of it are in the reference too."""
    path, reference = dataset / "FI/chr17.vcf.gz", dataset / "reference"
    plain, repeated = tmp_path / "plain.vcf", tmp_path / "repeated.vcf"
    own = ["-f", reference / "reference.fa.gz", "-g", reference / "genes.gff3.gz"]
    for command in (
        ["annotate", "--remove", "INFO/BCSQ", "-o", plain, path],
        ["csq", "--local-csq", "--phase", "a", "-B", "1", *own, "-o", repeated, plain],
    ):
        subprocess.run(["bcftools", *command], check=True, capture_output=True)
    assert bcsq_of_small(repeated) == bcsq_of_small(path)


def test_people_with_two_alleles_on_m_are_in_the_truth(dataset, made, tmp_path):
    regions = ["chr22:20000000-20010000", "chrM"]
    folder = made(tmp_path / "OUT", regions=regions, plant={}, people={"FI": 60}, traits=["ldl"])
    told = pd.read_csv(folder / "truth/heteroplasmy.tsv", sep="\t")
    with pysam.VariantFile(str(folder / "FI/chrM.vcf.gz")) as vcf:
        levels = {
            (name, record.contig, record.start, record.ref, alt): call["HF"][number]
            for record in vcf
            for name, call in record.samples.items()
            for number, alt in enumerate(record.alts)
        }
    keys = told[["individual", "contig", "start", "ref", "alt"]].itertuples(index=False, name=None)
    found = [levels[key] for key in keys]
    assert found == pytest.approx(told["level"].tolist(), abs=0.001) and found
    assert not (dataset / "truth/heteroplasmy.tsv").exists()  # it has no chrM


def test_exactly_as_many_carry_a_planted_variant_as_were_asked_for(dataset):
    told = pd.read_csv(dataset / "truth/planted_carriers.tsv", sep="\t")
    assert told["country"].value_counts().to_dict() == {"FI": 2, "ES": 1}
    found = set()
    for path in dataset.glob("*/chr17.vcf.gz"):
        copies = dict(genotypes(path))["chr17", 43057061, "T", "TG"]
        found |= {name for name, number in copies.items() if number}
    assert found == set(told["individual"])


def test_phenopackets_are_of_the_people_and_traits_asked_for(dataset):
    with gzip.open(dataset / "ES/phenopackets.jsonl.gz", "rt") as lines:
        packets = [Parse(line, Phenopacket()) for line in lines]
    people = pd.read_csv(dataset / "ES/people.tsv", sep="\t")
    assert [packet.subject.id for packet in packets] == people["id"].tolist()
    codes = {one.assay.id for packet in packets for one in packet.measurements}
    assert "LOINC:22748-8" in codes  # LDL
    assert "LOINC:8302-2" not in codes  # height is no cause of what was asked for


def test_effects_times_copies_rank_people_as_their_genetic_values(dataset):
    sites = pd.read_csv(dataset / "truth/causal_sites.tsv", sep="\t").query("trait == 'ldl'")
    values = pd.read_csv(dataset / "truth/genetic_values.tsv.gz", sep="\t")
    values = values.query("trait == 'ldl'").set_index("individual")
    values = values["genetic_value"] - values["background"]
    score = pd.Series(0.0, index=values.index)
    effect = sites.set_index(["contig", "start", "ref", "alt"])["effect"].to_dict()
    for path in dataset.glob("*/*.vcf.gz"):
        for variant, copies in genotypes(path):
            if variant in effect:
                score += pd.Series(copies).reindex(score.index, fill_value=0) * effect[variant]
    assert np.allclose(score - score.mean(), values)


def test_answers_for_all_are_those_of_the_countries_together(dataset):
    queries = json.loads((dataset / "truth/queries.json").read_bytes())["queries"]
    people = [one["expected"] for one in queries if one["entry_type"] == "individuals"]
    assert all(one["pooled"]["count"] == one["FI"]["count"] + one["ES"]["count"] for one in people)
    assert any(one["FI"]["count"] for one in people)
    for one in (query["expected"] for query in queries):
        assert one["pooled"]["exists"] == (one["FI"]["exists"] or one["ES"]["exists"])


def test_the_crate_names_every_file_with_its_digest(dataset):
    graph = json.loads((dataset / FILE_NAME).read_bytes())["@graph"]
    named = {one["@id"]: one["sha256"] for one in graph if one["@type"] == "File"}
    files = {path.relative_to(dataset).as_posix() for path in dataset.rglob("*") if path.is_file()}
    assert files - {FILE_NAME} == set(named)
    assert hashlib.sha256((dataset / "README.txt").read_bytes()).hexdigest() == named["README.txt"]


def test_the_metadata_satisfy_the_shapes_of_gdi(dataset, gdi_shapes):
    graph = Graph().parse(dataset / "catalogue.ttl")
    shapes = gdi_shapes("shacl-gdi-metadata/core/PiecesShape")
    conforms, _, report = validate(graph, shacl_graph=shapes, advanced=True)
    assert conforms, report


def test_the_read_me_says_what_it_is_and_how_it_was_made(dataset):
    text = (dataset / "README.txt").read_text()
    assert text.startswith("SYNTHETIC DATA")
    assert "--plant 'BRCA1:c.5266dup=3' --plant-age 50 --trait ldl" in text
    assert "MIT" in text


def test_the_same_seed_gives_the_same_files_and_another_seed_others(dataset, made, tmp_path):
    again = made(tmp_path / "again")
    files = [path.relative_to(dataset) for path in dataset.rglob("*") if path.is_file()]
    for path in files:
        if path.suffix not in (".csi", ".tbi") and path.name != FILE_NAME:
            assert content_digest(dataset / path) == content_digest(again / path), path
    other = made(tmp_path / "other", seed=8)
    path = "truth/allele_counts.tsv.gz"
    assert (dataset / path).read_bytes() != (other / path).read_bytes()


def test_a_dataset_has_every_format_but_those_of_a_complete_run():
    assert WRITERS.keys() == set(FORMATS) - set(RUN_ONLY_FORMATS)


def test_a_pooled_dataset_of_other_formats_is_one_folder(made, tmp_path):
    formats = ["bcf", "pgen", "trees", "tables", "omop", "fhir", "scores", "gwas", "zarr", "beacon"]
    folder = made(tmp_path / "OUT", pooled=True, formats=formats, people={"FI": 10}, plant={})
    names = {path.name for path in (folder / "pooled").iterdir()}
    assert {"chr22.bcf", "chr22.pgen", "chr22.vcz.zip", "tables", "omop", "gwas"} <= names
    assert [path.name for path in (folder / "pooled/scores").iterdir()] == [
        "coronary_artery_disease.txt.gz"
    ]
    assert "GOE-EU-DATASET-7" in (folder / "datasets.json").read_text()


def test_recipients_get_copies_that_only_they_can_read(made, tmp_path):
    key, public = tmp_path / "me.sec", tmp_path / "me.pub"
    c4gh.generate(key, public, b"", b"")
    order = {"formats": ["vcf", "tables"], "people": {"FI": 6}, "plant": {}}
    folder = made(tmp_path / "OUT", recipients=[public], **order)
    for plain, copy in (
        ("FI/chr22.vcf.gz", "FI/chr22.vcf.gz.c4gh"),
        ("FI/tables/people.tsv", "FI/tables.c4gh/people.tsv.c4gh"),
    ):
        with open_decrypting(folder / copy, key) as stream:
            assert stream.read() == (folder / plain).read_bytes()
    named = json.loads((folder / FILE_NAME).read_bytes())["@graph"]
    assert not any(one["@id"].endswith(".c4gh") for one in named)


EVERY_FORMAT = [one for one in FORMATS if one not in RUN_ONLY_FORMATS]
SMALLEST = {
    "one person": ({"FI": 1}, ["chr22:20000000-20020000"]),
    "one base": ({"FI": 3}, ["chr22:20000000-20000001"]),
    "one person, one base": ({"FI": 1}, ["chr22:20000000-20000001"]),
    "1 kb": ({"FI": 3}, ["chr22:20000000-20001000"]),
    "X only": ({"FI": 5}, ["chrX:20000000-20020000"]),
    "Y only": ({"FI": 5}, ["chrY:10000000-10050000"]),
    "Y of one man": ({"FI": 1, "ES": 1}, ["chrY:10000000-10050000"]),
    "M only": ({"FI": 5}, ["chrM"]),
    "M of one person": ({"FI": 1}, ["chrM"]),
    "two blocks": ({"FI": 3, "ES": 2}, ["chr21:20000000-20020000", "chr22:20000000-20020000"]),
}


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_datasets_have_every_format_and_a_true_count(made, tmp_path, name):
    people, regions = SMALLEST[name]
    order = {"people": people, "regions": regions, "plant": {}, "traits": [], "seed": 1}
    folder = made(tmp_path / "OUT", formats=EVERY_FORMAT, **order)
    told = pd.read_csv(folder / "truth/allele_counts.tsv.gz", sep="\t")
    told = told.groupby(["contig", "start", "ref", "alt", "country"])["ac"].sum().to_dict()
    found = {}
    for code in people:
        for region in regions:
            with pysam.VariantFile(str(folder / code / f"{region.split(':')[0]}.bcf")) as bcf:
                found |= {
                    (record.contig, *alleles, code): number
                    for record in bcf
                    for *alleles, number in counted_alone(record)
                }
    assert {key: number for key, number in told.items() if number} == found
    values = pd.read_csv(folder / "truth/genetic_values.tsv.gz", sep="\t")
    assert len(values) > 10 * sum(people.values())
    assert np.isfinite(values[["genetic_value", "background"]]).all(axis=None)


def counted_alone(record):
    """The start, REF, ALT and copies of each alternate allele of a record, each cut by itself."""
    called = [allele for call in record.samples.values() for allele in call.allele_indices]
    for number, alt in enumerate(record.alts, start=1):
        start, ref = record.start, record.ref
        if not alt.startswith("<"):
            while min(len(ref), len(alt)) > 1 and ref[-1] == alt[-1]:
                ref, alt = ref[:-1], alt[:-1]
            while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
                start, ref, alt = start + 1, ref[1:], alt[1:]
        yield start, ref, alt, called.count(number)


def test_a_trait_of_simulated_sites_comes_from_other_regions_where_there_are_none(
    made, tmp_path, caplog
):
    order = {"people": {"FI": 5}, "regions": ["chrX:20000000-20001000"], "plant": {}}
    folder = made(tmp_path / "OUT", formats=["scores"], **order)
    values = pd.read_csv(folder / "truth/genetic_values.tsv.gz", sep="\t")
    disease = values.query("trait == 'coronary_artery_disease'")
    assert np.allclose(disease["genetic_value"], disease["background"])
    assert disease["genetic_value"].std(ddof=0) == pytest.approx(1)
    assert pd.read_csv(folder / "truth/causal_sites.tsv", sep="\t").empty
    assert list((folder / "FI/scores").iterdir()) == []
