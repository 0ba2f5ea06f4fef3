"""The match question of the rare-disease story with real nodes, and changes of its verdict."""

import json
import os
import shutil
import signal
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
import tskit

from rehearsal.config.tables import read_genes, read_planted
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block, Consent
from rehearsal.network.issuer import TRUSTED, make_issuer, rehearsal_access
from rehearsal.network.launcher import running_network, running_nodes
from rehearsal.node.matchmaker.index import FILE_NAME
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.stores.ontology import HumanPhenotypeOntology
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stories.expected import compute_answers
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.query_context import StoryNetwork
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.run_stories import run_stories
from rehearsal.stories.story_reader import read_stories

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "workflow/schemas"
COUNTRIES = ("BE", "ES", "IE")
BYSTANDERS = 7  # in each country: people without the disease
BLOCK = Block("chr1", 119_700_000, 119_760_000)
# in the gene: one carried by a decoy of BE, one by all bystanders of ES, who are too many
RARE, COMMON = ("chr1", 119_720_000, "A", "G"), ("chr1", 119_730_000, "C", "T")
CARE = Consent("consent", ("DUO:0000043",))
QUESTION = "a-patient-like-him: "


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The story with its match question only, and the references of a run of three countries."""
    codes = [line.split("\t")[0] for line in (ROOT / "config/countries.tsv").open()]
    planted = read_planted(ROOT / "config/variants.tsv", SCHEMAS / "variants.schema.yaml", codes)
    genes = read_genes(ROOT / "config/genes.tsv", SCHEMAS / "genes.schema.yaml")
    references = RunReferences(COUNTRIES, planted, genes, read_traits(ROOT / "config/traits.yaml"))
    folder = tmp_path_factory.mktemp("stories")
    shutil.copy(ROOT / "config/stories/rare.yaml", folder)
    (story,) = read_stories(folder, references)
    return replace(story, questions=story.questions[:1]), references


@dataclass
class World:
    """A small cohort as tables, trees and node folders."""

    place: Path
    patients: pd.DataFrame
    copies: dict[tuple, Counter]  # by allele: copies by individual
    folders: dict[str, Path]


def make_world(place, story, references, patients):
    """Make a cohort of the given patients of the story and of bystanders, in three countries."""
    people, told = [], []
    copies = {RARE: Counter(), COMMON: Counter()}
    for country in COUNTRIES:
        mine = [one for one in patients if one.country == country]
        for number in range(len(mine) + BYSTANDERS):
            name = f"{country}-{number + 1:06d}"
            people.append((name, country, "female", 1990, None, None, None))
            if number < len(mine):
                told.append((name, mine[number]))
            elif country == "ES":
                copies[COMMON][name] = 1
    for name, one in told:
        for variant, number in one.carries.items():
            allele = (variant.contig, variant.start, variant.ref, variant.alt)
            copies.setdefault(allele, Counter())[name] = number
        if one.handle == "psat1-deficiency-be-1":
            copies[RARE][name] = 1
    columns = ["id", "country", "sex", "birth_year", "family", "father", "mother"]
    tables = {"cohort/people": pd.DataFrame(people, columns=columns)}
    tables |= {f"phenotypes/{name}": table for name, table in phenotypes(people, told).items()}
    rows = [(story.name, one.handle, one.name, name, one.country, True) for name, one in told]
    columns = ["story", "handle", "name", "individual", "country", "is_planted"]
    tables["truth/patients"] = pd.DataFrame(rows, columns=columns)
    for name, table in tables.items():
        path = place / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path)
    world = World(place, tables["truth/patients"], copies, {})
    write_trees(world, tables["cohort/people"]["id"].tolist())
    issuer = make_issuer(place / "issuer")
    ontology = HumanPhenotypeOntology()
    for country in COUNTRIES:
        world.folders[country] = write_node(world, tables, country, references, issuer, ontology)
    return world


def phenotypes(people, told):
    consents = dict.fromkeys((one[0] for one in people), CARE)
    consents |= {name: one.consent or CARE for name, one in told}
    return {
        "features": pd.DataFrame(
            [
                (name, term.code, term.label, int(term.age_of_onset))
                for name, one in told
                for term in one.features or ()
            ],
            columns=["individual", "code", "label", "age_of_onset"],
        ),
        "excluded_features": pd.DataFrame(
            [(name, term.code, term.label) for name, one in told for term in one.excluded],
            columns=["individual", "code", "label"],
        ),
        "candidate_genes": pd.DataFrame(
            [(name, gene) for name, one in told for gene in one.candidate_genes],
            columns=["individual", "gene"],
        ),
        "consent": pd.DataFrame(
            [
                (name, one.basis, ", ".join(one.uses), one.withdrawn)
                for name, one in consents.items()
            ],
            columns=["individual", "basis", "uses", "withdrawn"],
        ),
    }


def write_trees(world, names):
    """A star of all samples, with a mutation on each copy."""
    tables = tskit.TableCollection(CONTIG_LENGTHS["chr1"])
    samples = {}
    for name in names:
        person = tables.individuals.add_row()
        samples[name] = [tables.nodes.add_row(1, 0, individual=person) for _ in range(2)]
    root = tables.nodes.add_row(0, 1)
    for pair in samples.values():
        for node in pair:
            tables.edges.add_row(BLOCK.start, BLOCK.end, root, node)
    for (_, start, ref, alt), carriers in sorted(world.copies.items()):
        site = tables.sites.add_row(start, ref)
        for name, number in carriers.items():
            for node in samples[name][:number]:
                tables.mutations.add_row(site, node, alt)
    tables.sort()
    tables.tree_sequence().dump(world.place / "chr1.trees")


def write_node(world, tables, country, references, issuer, ontology):
    folder = world.place / "nodes" / country
    folder.mkdir(parents=True)
    people = tables["cohort/people"]
    people = people[people["country"] == country].reset_index(drop=True)
    names = people["id"].tolist()
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    lines = ["##fileformat=VCFv4.3", f"##contig=<ID=chr1,length={CONTIG_LENGTHS['chr1']}>"]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="">', "\t".join(head)]
    for (contig, start, ref, alt), carriers in sorted(world.copies.items()):
        calls = [("0/0", "0/1", "1/1")[carriers[name]] for name in names]
        lines.append("\t".join([contig, str(start + 1), ".", ref, alt, *"...", "GT", *calls]))
    (folder / "all.vcf").write_text("\n".join(lines) + "\n")
    build_from_vcf([folder / "all.vcf"], people, folder / "variants.sqlite")
    own = {
        name.removeprefix("phenotypes/"): table[table["individual"].isin(names)]
        for name, table in tables.items()
        if name.startswith("phenotypes/")
    }
    (folder / "phenotypes").mkdir()
    for name, table in own.items():
        table.to_parquet(folder / "phenotypes" / f"{name}.parquet")
    build_people(people, {"consent": own["consent"]}, folder / "people.sqlite")
    build_matchmaker_index(names, own, folder / FILE_NAME, ontology)
    shutil.copy(issuer.folder / "jwks.json", folder / TRUSTED)
    settings = NodeSettings.for_country(
        country, country, references.genes, access=rehearsal_access(country)
    )
    settings.write(folder)
    return folder


@contextmanager
def playing(place, story, references, patients):
    """Yield a function that plays the story with the world's nodes and returns checks by name."""
    world = make_world(place, story, references, patients)
    cohort = PooledCohort(
        place, {BLOCK: place / "chr1.trees"}, references.genes, references.planted, 2026
    )
    expected = {story.name: compute_answers(story, cohort)}
    issuer = make_issuer(place / "issuer")
    with (
        running_nodes(world.folders, place / "logs", 60) as nodes,
        running_network(nodes, 5.0, place / "logs", 60) as service,
    ):

        def checks():
            network = StoryNetwork(service, 5.0, world.folders, nodes.restart)
            result = run_stories([story], expected, world.patients, network, issuer)[story.name]
            found = {one["name"].removeprefix(QUESTION): one for one in result["checks"]}
            assert result["passed"] == all(one["passed"] for one in found.values())
            return found

        yield checks


def failed(checks):
    return {name for name, one in checks.items() if not one["passed"]}


def changed(patients, handle, **changes):
    return [replace(one, **changes) if one.handle == handle else one for one in patients]


def test_the_story_passes_and_a_stopped_node_is_marked(tmp_path, story):
    story, references = story
    with playing(tmp_path, story, references, story.patients) as checks:
        first = checks()
        assert failed(first) == set()
        assert first["the best match"]["observed"]["copies"] == 2
        matches = first["the matches of each country equal the truth"]["observed"]
        assert {code: one["matches"] for code, one in matches.items()} == {
            "BE": 4,  # not those matched by the infection only, nor those who permit research only
            "ES": 5,
            "IE": 4,  # Martin is not a match of himself
        }
        endpoint = json.loads((tmp_path / "logs/BE.endpoint.json").read_text())
        os.kill(endpoint["pid"], signal.SIGKILL)
        stopped = checks()
    assert failed(stopped) == {
        "every country answered",
        "the matches of each country equal the truth",
    }
    assert stopped["every country answered"]["observed"] == ["ES", "IE"]


def test_without_the_spanish_case_another_is_the_best_match(tmp_path, story):
    story, references = story
    patients = [one for one in story.patients if one.handle != "spanish-case"]
    with playing(tmp_path, story, references, patients) as checks:
        found = checks()
    assert failed(found) == {"the best match"}
    assert found["the best match"]["observed"]["copies"] is None


def test_a_patient_who_withdrew_consent_is_not_matched(tmp_path, story):
    """Only the Spanish case disappears."""
    story, references = story
    consent = Consent("consent", ("DUO:0000043",), withdrawn=True)
    patients = changed(story.patients, "spanish-case", consent=consent)
    with playing(tmp_path, story, references, patients) as checks:
        found = checks()
    assert failed(found) == {"the best match"}
    observed = found["the matches of each country equal the truth"]["observed"]
    assert observed["ES"]["matches"] == 4


def test_a_case_that_permits_care_is_matched(tmp_path, story):
    """A match that the story expects to be withheld appears, so the check can fail."""
    story, references = story
    patients = changed(story.patients, "not-for-care", consent=CARE)
    with playing(tmp_path, story, references, patients) as checks:
        found = checks()
    assert failed(found) == {
        "the best match",
        "not-for-care: similar, but must not be in the answer",
    }
    assert found["the best match"]["observed"]["country"] == "BE"


def test_no_node_matches_for_a_patient_who_does_not_permit_it(tmp_path, story):
    story, references = story
    consent = Consent("consent", ("DUO:0000042",))
    patients = changed(story.patients, "martin", consent=consent)
    with playing(tmp_path, story, references, patients) as checks:
        found = checks()
    assert failed(found) == {"the best match"}
    assert found["every country refuses the request"]["observed"] == list(COUNTRIES)
