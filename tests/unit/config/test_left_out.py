"""``countries`` and ``regions`` keep a part of what the files describe, and say what goes."""

import logging
from pathlib import Path

import pytest
import yaml

from rehearsal.config.left_out import country_table, note_replaced_regions
from rehearsal.config.loader import read_inputs
from rehearsal.config.preflight import check_job_inputs
from rehearsal.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def config(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["genome"]["regions"] = ["chr22:20000000-20100000"]
    return config


@pytest.fixture
def notes(monkeypatch):
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("rehearsal.notes")
    logger.addHandler(handler)
    yield said
    logger.removeHandler(handler)


def read(config):
    return read_inputs(config, [Path("config/config.yaml")], ROOT / "workflow/schemas")


def codes(inputs):
    return [country.code for country in inputs.countries]


def test_a_path_keeps_everything_and_says_nothing(config, notes):
    inputs = read(config)
    assert len(inputs.countries) == 28
    assert [story.name for story in inputs.stories] == ["cancer", "common", "infectious", "rare"]
    assert inputs.config == config
    assert not inputs.unplanted
    assert notes == []


def test_a_list_of_codes_chooses_rows_of_the_table(config, notes):
    config["countries"] = ["FI", "EE"]
    inputs = read(config)
    assert codes(inputs) == ["EE", "FI"]  # as the table has them
    assert set(inputs.numbers) == {"EE", "FI"}
    assert inputs.stories == []
    assert inputs.config["network"]["asker"] == "EE"
    assert all(set(one.frequency) <= {"*", "EE", "FI"} for one in inputs.planted)
    assert not any(one.carriers for one in inputs.planted)
    assert [one.split(":")[0] for one in notes] == ["network.asker", "variants", "stories"]
    check_job_inputs(inputs.config, inputs)


def test_a_list_of_codes_chooses_from_the_table_that_a_file_names(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("countries: mine.tsv\n")
    sources = [ROOT / "config/config.yaml", mine]
    assert country_table({"countries": ["FI"]}, sources) == Path("mine.tsv")


def test_a_users_genome_regions_that_regions_replaces_are_said(config, notes, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("regions: [chr22]\ngenome: {regions: ['chr22:20000000-20300000']}\n")
    note_replaced_regions(config, [ROOT / "config/config.yaml", mine])
    config["regions"] = ["chr22"]
    note_replaced_regions(config, [ROOT / "config/config.yaml"])
    assert notes == []
    note_replaced_regions(config, [ROOT / "config/config.yaml", mine])
    assert notes == [f"genome.regions of {mine} is not used, because regions replaces it"]


def test_a_mistyped_code_is_one_line(config):
    config["countries"] = ["FI", "XX"]
    with pytest.raises(InputError, match=r"countries.1: expected a country of .*, found 'XX'$"):
        read(config)


def test_what_a_key_says_of_a_country_goes_with_it(config, notes):
    config["countries"] = ["FI"]
    config["cohort"]["people"] = {"FI": 30, "SE": 40}
    config["cohort"]["migrants"] = {"*": 0.1, "MT": 0.2}
    inputs = read(config)
    assert inputs.numbers == {"FI": 30}
    assert inputs.config["cohort"]["migrants"] == {"*": 0.1}
    assert "cohort: without people of SE, migrants of MT, with their countries" in notes


def test_an_unknown_country_of_a_key_is_still_an_error(config):
    config["countries"] = ["FI"]
    config["cohort"]["people"] = {"XX": 30}
    with pytest.raises(InputError, match=r"cohort.people: .*found 'XX'"):
        read(config)


def test_a_story_of_kept_countries_is_told(config):
    config["countries"] = ["DE", "ES", "IT"]
    assert [story.name for story in read(config).stories] == ["infectious"]


def test_nodes_of_others_go_with_their_countries(config, notes, tmp_path):
    nodes = {code: {"url": "http://127.0.0.1:1"} for code in ("FI", "SE")}
    (tmp_path / "nodes.yaml").write_text(yaml.safe_dump({"nodes": nodes}))
    config["network"]["nodes"] = str(tmp_path / "nodes.yaml")
    config["countries"] = ["FI"]
    assert [node.country for node in read(config).foreign] == ["FI"]
    assert "network.nodes: left out are SE: their countries are left out" in notes


def test_exports_keep_what_the_run_has(config, notes):
    config["countries"], config["regions"] = ["FI"], ["chr22:20000000-20100000"]
    config["exports"] = [
        {"name": "both", "formats": ["bcf"], "countries": ["FI", "SE"]},
        {"name": "abroad", "formats": ["bcf"], "countries": ["SE"]},
        {"name": "two", "formats": ["bcf"], "pooled": True, "people": ["FI-000001", "SE-000001"]},
        {"name": "swede", "formats": ["bcf"], "pooled": True, "people": ["SE-000001"]},
        {"name": "elsewhere", "formats": ["bcf"], "regions": ["chr1:0-1000"]},
        {"name": "told", "formats": ["bcf"], "story": "rare"},
        {"name": "planted", "formats": ["bcf"], "variants": ["BRCA1:c.68_69del"]},
    ]
    inputs = read(config)
    assert list(inputs.exports) == ["both", "two"]
    assert inputs.exports["both"].countries == ("FI",)
    assert inputs.exports["two"].people == ("FI-000001",)
    gone = "abroad, swede, elsewhere, told, planted"
    why = "the run has nothing of what they want"
    assert [note for note in notes if note.startswith("exports: ")] == [
        f"exports: left out are {gone}: {why}",
        "exports: without what is left out: both, two",
    ]


def test_regions_replace_those_of_the_genome_and_open_no_windows_elsewhere(config, notes):
    config["regions"] = ["chr17:43000000-43200000"]
    inputs = read(config)
    assert [block.region for block in inputs.blocks] == ["chr17:43000000-43200000"]
    assert {one.gene for one in inputs.planted} == {"BRCA1"}
    assert {one.gene for one in inputs.unplanted} >= {"BRCA2", "TLR7", "PHGDH"}
    assert [one.split(":")[0] for one in notes] == ["variants", "stories"]
    check_job_inputs(inputs.config, inputs)


def test_without_an_autosome_causal_sites_are_noted(config, notes):
    config["regions"] = ["chrX:12800000-12900000"]
    read(config)
    assert "traits: causal sites are left out, because no autosome is simulated" in notes


def test_an_ill_formed_region_names_its_own_key(config):
    config["regions"] = ["chrZ"]
    with pytest.raises(InputError, match=r"config.yaml: regions: chrZ: expected a contig"):
        read(config)


def test_no_bench_is_allowed(config):
    config["bench"] = None
    assert read(config).config["bench"] is None


def test_analyses_can_be_left_out(config):
    assert read(config).analyses.parts == ("pca", "gwas", "burden", "logistic")
    assert read(config | {"analyses": None}).analyses is None


def test_analyses_whose_truth_would_not_fit_are_left_out_with_a_note(config, notes):
    config["regions"] = ["chr1"]
    inputs = read(config)
    assert inputs.analyses is None
    assert inputs.config["analyses"] is None
    (told,) = [note for note in notes if note.startswith("analyses: ")]
    assert "left out, because the truth would hold about 2,5" in told
    assert told.endswith("million genotypes, and 500 million are the most")


def test_analyses_that_cannot_be_read_are_a_complaint(config, tmp_path):
    config["analyses"] = str(tmp_path / "none.yaml")
    with pytest.raises(InputError, match=r"none\.yaml"):
        read(config)
