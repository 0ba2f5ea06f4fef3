"""The cancer story with real nodes: its checks pass, and change when a node is stopped."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import tskit

from rehearsal.config.tables import read_countries, read_genes, read_planted
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.people import patient_ids, plan_people
from rehearsal.model import Block
from rehearsal.network.issuer import TRUSTED, make_issuer, rehearsal_access
from rehearsal.network.launcher import running_network, running_nodes
from rehearsal.node.settings.node_settings import TUMOURS, NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.phenotypes.consent import draw_consent, read_consent
from rehearsal.phenotypes.genetic_values import GeneticValues
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.tumour_store_writer import build_tumours
from rehearsal.stories.expected import compute_answers
from rehearsal.stories.patients import build_patients_table
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.query_context import StoryNetwork
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.run_stories import run_stories
from rehearsal.stories.story_reader import read_stories

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "workflow/schemas"
CODES = ("BE", "DE", "ES", "IT", "PL")
SEED, YEAR = 3, 2026
# BRCA1 c.5266dup, which the first person of every country carries
DUP = ("chr17", 43_057_061, "T", "TG")
BLOCKS = {
    name: Block(name, start, start + 1_000_000)
    for name, start in (*(("chr7", 140_000_000), ("chr13", 32_000_000), ("chr17", 42_500_000)),)
}
TABLES = ("diseases", "measurements", "features", "treatments", "tumour_variants")


@pytest.fixture(scope="module")
def references():
    codes = [line.split("\t")[0] for line in (ROOT / "config/countries.tsv").open()]
    planted = read_planted(ROOT / "config/variants.tsv", SCHEMAS / "variants.schema.yaml", codes)
    genes = read_genes(ROOT / "config/genes.tsv", SCHEMAS / "genes.schema.yaml")
    return RunReferences(CODES, planted, genes, read_traits(ROOT / "config/traits.yaml"))


@pytest.fixture(scope="module")
def story(references, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stories")
    shutil.copy(ROOT / "config/stories/cancer.yaml", folder)
    (story,) = read_stories(folder, references)
    return story


@pytest.fixture(scope="module")
def world(story, references, tmp_path_factory):
    """The cohort's tables and trees, and the nodes' folders."""
    place = tmp_path_factory.mktemp("world")
    everybody = read_countries(ROOT / "config/countries.tsv", SCHEMAS / "countries.schema.yaml")
    countries = [country for country in everybody if country.code in CODES]
    numbers = dict.fromkeys(CODES, 60)
    people, _ = plan_people(countries, numbers, 0.3, [], SEED, without_variants(story.patients))
    ids = patient_ids(story.patients, people)
    found = clinical(people, story, ids, references.traits)
    tables = {name: getattr(found, name) for name in TABLES}
    consent = draw_consent(people, read_consent(ROOT / "config/consent.yaml"), SEED)
    tables = {f"phenotypes/{name}": one for name, one in (tables | {"consent": consent}).items()}
    tables["cohort/people"] = people
    write(place, tables)
    write(place, {"truth/patients": build_patients_table(ids, [], place, YEAR)})
    trees = {block: place / f"{name}.trees" for name, block in BLOCKS.items()}
    for block, path in trees.items():
        write_trees(block, people, path)
    issuer = make_issuer(place / "issuer")
    folders = {code: write_node(place, code, tables, references.genes, issuer) for code in CODES}
    return (
        place,
        PooledCohort(place, trees, references.genes, references.planted, YEAR),
        folders,
        issuer,
    )


def without_variants(patients):
    """The plan is empty, because the trees are made by hand."""
    return [replace(one, lacks=()) for one in patients]


def clinical(people, story, ids, traits):
    """Records as a run makes them, without polygenic parts."""
    traits = replace(
        traits,
        measurements=tuple(replace(one, genetics=None) for one in traits.measurements),
        diseases=tuple(replace(one, genetics=None) for one in traits.diseases),
    )
    effects = pd.DataFrame(columns=["trait", "contig", "start", "ref", "alt", "effect"])
    nothing = GeneticValues(effects, pd.DataFrame(index=people.index))
    carriers = pd.DataFrame({"gene": [], "individual": [], "copies": []})
    return simulate_phenotypes(people, nothing, carriers, traits, SEED, YEAR, story.patients, ids)


def write(place, tables):
    for name, table in tables.items():
        path = place / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path)


def carriers_of(people):
    return set(people.groupby("country")["id"].first())


def write_trees(block, people, path):
    """A star of all samples, with the duplication where it belongs."""
    tables = tskit.TableCollection(CONTIG_LENGTHS[block.contig])
    carrying = carriers_of(people) if block.contig == DUP[0] else set()
    first = []
    root = tables.nodes.add_row(0, 1)
    for name in people["id"]:
        person = tables.individuals.add_row()
        for number in range(2):
            node = tables.nodes.add_row(1, 0, individual=person)
            tables.edges.add_row(block.start, block.end, root, node)
            if number == 0 and name in carrying:
                first.append(node)
    if first:
        site = tables.sites.add_row(DUP[1], DUP[2])
        for node in first:
            tables.mutations.add_row(site, node, DUP[3])
    tables.sort()
    tables.tree_sequence().dump(path)


def write_node(place, code, tables, genes, issuer):
    folder = place / "nodes" / code
    folder.mkdir(parents=True)
    people = tables["cohort/people"]
    mine = people[people["country"] == code].reset_index(drop=True)
    names = mine["id"].tolist()
    carrying = carriers_of(people)
    contig, start, ref, alt = DUP
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    calls = ["0/1" if name in carrying else "0/0" for name in names]
    lines = [
        "##fileformat=VCFv4.3",
        *(f"##contig=<ID={name},length={CONTIG_LENGTHS[name]}>" for name in BLOCKS),
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join(head),
        "\t".join([contig, str(start + 1), ".", ref, alt, *"...", "GT", *calls]),
    ]
    (folder / "all.vcf").write_text("\n".join(lines) + "\n")
    build_from_vcf([folder / "all.vcf"], mine, folder / "variants.sqlite")
    own = {
        name.removeprefix("phenotypes/"): table[table["individual"].isin(names)]
        for name, table in tables.items()
        if name.startswith("phenotypes/")
    }
    build_tumours(own.pop("tumour_variants"), mine, folder / TUMOURS)
    build_people(mine, own, folder / "people.sqlite", YEAR)
    shutil.copy(issuer.folder / "jwks.json", folder / TRUSTED)
    access = rehearsal_access(code, has_tumours=True)
    NodeSettings.for_country(code, code, genes, access=access, has_tumours=True).write(folder)
    return folder


def failed(result):
    return {check["name"] for check in result["checks"] if not check["passed"]}


def test_the_story_passes_and_a_stopped_node_changes_its_verdict(world, story):
    place, cohort, folders, issuer = world
    expected = {story.name: compute_answers(story, cohort)}
    patients = cohort.table("truth/patients.parquet")
    logs = place / "logs"
    with (
        running_nodes(folders, logs, 120) as nodes,
        running_network(nodes, 8.0, logs, 120) as service,
    ):

        def played():
            network = StoryNetwork(service, 8.0, folders, nodes.restart)
            results = run_stories([story], expected, patients, network, issuer)
            json.dumps(results)  # all values are plain
            return results[story.name]

        first = played()
        endpoint = json.loads((logs / "ES.endpoint.json").read_text())
        os.kill(endpoint["pid"], signal.SIGKILL)
        second = played()
    assert failed(first) == set()
    assert first["passed"] and not second["passed"]
    asked = {question["id"]: question for question in first["questions"]}
    strata = asked["chemotherapy"]["details"]["strata"]
    assert strata["like-louise"]["finding"] == "none"
    assert strata["middle-score"]["finding"] == "benefit"
    assert asked["pten-resistance"]["joined"]["count"] == 4
    assert asked["braf-in-the-germline"]["joined"]["exists"] is False
    for question in asked:
        everybody = "every country answered"
        assert any(name.startswith(f"{question}: {everybody}") for name in failed(second)), question
    assert "chemotherapy: the counts of the network equal the truth" in failed(second)
    assert "pten-resistance: countries with a match" in failed(second)
    ended = next(one for one in second["questions"] if one["id"] == "pten-resistance")
    assert ended["countries"]["ES"]["state"] == "failed"


def test_tumours_are_found_by_name_only(world, story):
    """The germline truth contains none of them for any question."""
    _, cohort, _, _ = world
    germline = next(one for one in story.questions if one.id == "braf-in-the-germline")
    tumours = next(one for one in story.questions if one.id == "braf-in-tumours")
    answers = {
        one.id: compute_answers(replace(story, questions=(one,)), cohort)[one.id]
        for one in (germline, tumours)
    }
    assert not any(one["exists"] for one in answers["braf-in-the-germline"].values())
    seen = cohort.table("phenotypes/tumour_variants.parquet")
    braf = seen[seen["contig"] == "chr7"]["individual"].nunique()
    assert braf == 3 + 4
    assert 4 <= sum(one["count"] for one in answers["braf-in-tumours"].values()) <= braf
