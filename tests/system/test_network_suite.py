"""The whole default suite: queries through the network to real nodes, judged against the truth.

Some countries are replaced by nodes of others.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.evaluation import protected_judge
from rehearsal.evaluation.latency import latency_table, qs02
from rehearsal.evaluation.network_under_test import NetworkUnderTest
from rehearsal.evaluation.protected_judge import public_checks
from rehearsal.evaluation.suite import QuerySources, draw_suite
from rehearsal.evaluation.suite_run import JudgedSuite, Rounds, SuiteRun, ask_suite
from rehearsal.evaluation.templates import KINDS, read_templates
from rehearsal.genomes.annotation import annotate_block
from rehearsal.genomes.coding_constraints import coding_constraints
from rehearsal.genomes.drawn_reference import DrawnReference
from rehearsal.genomes.known_bases import KnownBases, with_planted
from rehearsal.genomes.people import plan_people
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block, write_trees
from rehearsal.genomes.transcripts import read_transcripts
from rehearsal.loadtest.faults.run import FaultTest, run_faults
from rehearsal.loadtest.faults.scenarios import SCENARIOS
from rehearsal.loadtest.query_selection import select_kinds_in_turn
from rehearsal.model import Block, Country, Gene, PlantedVariant, Query, Variant
from rehearsal.network.emulation.topology import Topology
from rehearsal.network.issuer import TRUSTED, make_issuer, rehearsal_access
from rehearsal.network.launcher import Launch, running_network, running_nodes
from rehearsal.network.registry import read_foreign_nodes, with_foreign, write_nodes
from rehearsal.network.tokens import tokens_by_tier
from rehearsal.node.privacy.public_facts_writer import write_public_facts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.phenotypes.consent import draw_consent, read_consent
from rehearsal.policy.indicators import read_indicators
from rehearsal.policy.maturity import build_maturity
from rehearsal.policy.node_checks import RunEvidence
from rehearsal.stores.country_shards import write_shards
from rehearsal.stores.ontology import HumanPhenotypeOntology
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store_writer import build_store
from rehearsal.truth.expected_answers import ExpectedAnswer
from rehearsal.truth.gene_consequences import GeneTruth
from rehearsal.truth.gene_files import read_genes
from rehearsal.truth.pooled_sites import pooled_sites
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources
from rehearsal.web.network_delay import Line

from ..unit.structural_block import add_all_classes

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
TRANSCRIPTS = ROOT / "config" / "transcripts.tsv"
CODES = ["AT", "BE", "FI", "PL"]
BLOCKS = [
    Block("chr12", 21_150_000, 21_200_000),
    Block("chr22", 20_000_000, 20_100_000),
    Block("chrX", 12_860_000, 12_900_000),
]
GENES = [
    Gene("SLCO1B1", "chr12", 21_131_193, 21_239_796, "+"),
    Gene("TLR7", "chrX", 12_867_071, 12_890_361, "+"),
]
PLANTED = [
    PlantedVariant(
        Variant("chr12", 21_178_614, "T", "C"), "SLCO1B1", "c.521T>C", "dose", "common", {"*": 0.15}
    ),
    PlantedVariant(
        Variant("chr22", 20_050_000, "ACT", "A"), "G", "del", "dominant", "cancer", {"*": 0.1}
    ),
    PlantedVariant(
        Variant("chr22", 20_060_000, "T", "TG"), "G", "dup", "dominant", "cancer", {"*": 0.1}
    ),
    PlantedVariant(
        Variant("chrX", 12_886_151, "A", "G"),
        "TLR7",
        "c.644A>G",
        "X-linked",
        "infectious",
        {},
        0,
        (("FI", "brothers", 1),),
    ),
    PlantedVariant(Variant("chr22", 20_070_000, "A", "T"), "BRAF", "V600E", "somatic", "cancer"),
]
DISEASES = {"ICD10:I25.1": "MONDO:0005010", "ICD10:C50": "MONDO:0007254"}
TERMS = ["HP:0001677", "HP:0003002", "HP:0003124"]


@cache
def reference() -> DrawnReference:
    """The bases of the run, with an open reading frame in each gene."""
    real = with_planted([], PLANTED)
    known = [(one.contig, one.start, one.bases) for one in real]
    coding = coding_constraints(read_transcripts(TRANSCRIPTS), known, 11)
    return DrawnReference(11, real, [KnownBases(*one, "gene model") for one in coding])


def read_bases(block: Block) -> str:
    return reference().bases(block).tobytes().decode()


def fetch(contig: str, start: int, end: int) -> str:
    return read_bases(Block(contig, start, end))


@dataclass
class Cohort:
    people: pd.DataFrame
    diseases: pd.DataFrame
    features: pd.DataFrame
    measurements: pd.DataFrame
    consent: pd.DataFrame
    trees: dict[Block, Path]
    nodes: dict[str, Path]
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    """Four countries of 30 people, three small blocks, node folders as the workflow builds them."""
    folder = tmp_path_factory.mktemp("run")
    countries = [Country(code, code, 50, 10, 1, code, 50, 10, "no") for code in CODES]
    people, plan = plan_people(countries, dict.fromkeys(CODES, 30), 0.3, PLANTED, 1)
    demography = msprime.Demography.island_model([10_000] * len(CODES), 1e-3)
    for population, code in zip(demography.populations, CODES, strict=True):
        population.name = code
    nodes = {code: folder / "nodes" / code for code in CODES}
    trees, parts, effects = {}, {code: [] for code in CODES}, []
    transcripts = read_transcripts(TRANSCRIPTS)
    for block in BLOCKS:
        reference = read_bases(block)
        sequence = simulate_block(
            block,
            people,
            plan,
            PLANTED,
            SimulationSettings(demography, mutation_rate=1.5e-8, kappa=4.0, seed=16),
            uniform_map(block.contig, 1e-8),
            reference,
        )
        sequence = add_all_classes(sequence, block.start, block.end, reference)
        trees[block] = folder / f"{block.id}.trees"
        write_trees(sequence, trees[block])
        out = {code: folder / code / f"{block.id}.parquet" for code in CODES}
        for code, path in out.items():
            path.parent.mkdir(exist_ok=True)
            parts[code].append(path)
        effects.append((block.contig, annotate_block(sequence, read_bases, transcripts)))
        write_shards(sequence, block, people, {}, out, reference=reference)
    diseases, features, measurements = phenotypes(people)
    consent = draw_consent(people, read_consent(ROOT / "config" / "consent.yaml"), 1)
    tables = {"diseases": diseases, "features": features, "measurements": measurements}
    tables["consent"] = consent
    issuer = make_issuer(folder / "issuer")
    ontology = HumanPhenotypeOntology()
    for code, node in nodes.items():
        node.mkdir(parents=True)
        mine = people[people["country"] == code]
        build_store(parts[code], mine, node / "variants.sqlite", effects)
        kept = {name: table[table["individual"].isin(mine["id"])] for name, table in tables.items()}
        build_people(mine, kept, node / "people.sqlite", ontology=ontology)
        settings = NodeSettings.for_country(code, code, GENES, access=rehearsal_access(code))
        settings.write(node)
        (node / TRUSTED).write_text(json.dumps(issuer.jwks()))
    write_public_facts(nodes, read_consent(ROOT / "config" / "consent.yaml"))
    passports = tokens_by_tier(issuer.folder, "BE")
    return Cohort(people, diseases, features, measurements, consent, trees, nodes, passports)


def phenotypes(people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(3)
    ill = rng.choice(people["id"], 60, replace=False)
    diseases = pd.DataFrame(
        {"individual": ill, "code": rng.choice(list(DISEASES), 60), "label": "x"}
    )
    diseases["mondo"] = diseases["code"].map(DISEASES)
    diseases["age_of_onset"] = 50.0
    features = pd.DataFrame({"individual": ill, "code": rng.choice(TERMS, 60), "label": "x"})
    features["age_of_onset"] = 50.0
    measurements = pd.DataFrame(
        {"individual": people["id"], "code": "LOINC:22748-8", "label": "LDL"}
    )
    measurements = measurements.assign(value=3.0, unit="mmol/L", age=40.0)
    return diseases, features, measurements


@pytest.fixture(scope="module")
def suite(cohort: Cohort) -> list[Query]:
    templates = read_templates(ROOT / "config" / "queries.yaml")
    sites, tables = pooled_sites(cohort.trees), (cohort.people, cohort.diseases, cohort.features)
    return draw_suite(templates, QuerySources(sites, PLANTED, GENES, *tables), seed=5)


@pytest.fixture(scope="module")
def expected(cohort: Cohort, suite: list[Query]) -> dict[str, dict[str, ExpectedAnswer]]:
    tables = (cohort.people, cohort.diseases, cohort.features, cohort.measurements)
    genes = GeneTruth(read_genes(TRANSCRIPTS), fetch)
    sources = TruthSources(cohort.trees, *tables, GENES, cohort.consent, gene_truth=genes)
    return TruthCalculator(sources).compute_answers(suite)


@contextmanager
def a_network(folders: dict[str, Path], logs: Path, delays=(), deadline_s: float = 10):
    """Run nodes and a network in front of them; yields both."""
    lines = {country: Line(delay_ms, 1000) for country, delay_ms in dict(delays).items()}
    topology = Topology.here(folders, lines)
    with (
        running_nodes(folders, logs, topology=topology) as nodes,
        running_network(nodes, deadline_s, logs) as service,
    ):
        yield nodes, service


@pytest.fixture(scope="module")
def asked(cohort: Cohort, suite, expected, tmp_path_factory) -> SuiteRun:
    delays = {"AT": 10.0, "FI": 30.0}
    with (
        pytest.MonkeyPatch.context() as patch,
        a_network(cohort.nodes, tmp_path_factory.mktemp("logs"), delays) as (nodes, service),
    ):
        patch.setattr(protected_judge, "PROMISED_PEOPLE", 30)  # a run promises it from 100 on
        network = NetworkUnderTest(service, nodes, 10)
        rounds = Rounds(controls=20)
        return ask_suite(JudgedSuite(suite, expected), network, tokens=cohort.tokens, rounds=rounds)


def test_the_suite_over_a_small_cohort_has_queries_of_all_kinds(suite: list[Query]):
    assert {query.kind for query in suite} == set(KINDS)


def test_more_general_terms_are_asked_and_find_people(suite: list[Query], expected, cohort):
    parents = [query for query in suite if query.id.startswith("individuals-parent")]
    assert parents
    for query in parents:
        (term, *_) = (item["id"] for item in query.request["query"]["filters"])
        assert term not in set(cohort.features["code"])
        assert any(answer.count for answer in expected[query.id].values())


def test_molecular_effects_are_asked_for_and_found(suite: list[Query], expected):
    asked = [query for query in suite if "missense" in query.id]
    assert {query.entry_type for query in asked} == {"g_variants", "individuals"}
    for entry_type in ("g_variants", "individuals"):
        answers = [expected[one.id].values() for one in asked if one.entry_type == entry_type]
        assert any(answer.count for of_query in answers for answer in of_query)


def test_every_answer_is_exact(asked: SuiteRun):
    wrong = asked.answers[~asked.answers["equal"]]
    assert wrong.empty, wrong[["query", "node", "observed", "truth", "reason"]].to_string()


def test_the_public_is_told_what_enough_people_have(asked: SuiteRun):
    """Among 30 people these are few questions, which public facts answer."""
    checks = public_checks(asked.answers)
    assert checks
    assert all(check["passed"] for check in checks), checks
    silent = asked.answers.assign(exists=False)
    assert not all(check["passed"] for check in public_checks(silent))


def test_every_node_is_in_every_answer(asked: SuiteRun, suite: list[Query]):
    assert (asked.answers.groupby("query")["node"].apply(set) == {*CODES, "network"}).all()
    assert len(asked.answers) == len(suite) * (len(CODES) + 1)


def test_the_truth_is_not_all_the_same(expected):
    counts = [answer.count for countries in expected.values() for answer in countries.values()]
    assert len(set(counts)) > 10


def test_distance_shows_in_the_latency_and_the_slowest_node_is_the_networks(asked: SuiteRun):
    """Compare the quickest answers, because a busy machine only makes answers slower."""
    table = latency_table(asked.answers, asked.control).set_index(["kind", "node"])
    quickest = asked.answers.groupby("node")["latency_ms"].min()
    quickest_control = asked.control.groupby("node")["latency_ms"].min()
    assert 10 <= quickest["AT"] < quickest["FI"]
    assert quickest["FI"] >= 30
    assert table.loc[("all", "network"), "p50_ms"] >= table.loc[("all", "FI"), "p50_ms"]
    assert quickest_control["FI"] >= 30
    assert quickest_control["empty handler"] < quickest_control["AT"]


def test_qs02_holds(asked: SuiteRun):
    verdict = qs02(asked.answers, 10)
    assert verdict.success_rate == 1.0
    assert verdict.passed


def test_conditions_are_noted(asked: SuiteRun):
    assert asked.conditions["nodes"] == 4
    assert asked.conditions["burst"]["unanswered"] == 0
    assert len(asked.conditions["load_average_before"]) == 3


def test_a_stopped_node_is_late_in_every_row_and_the_joined_answer_names_it(
    cohort: Cohort, suite, expected, tmp_path
):
    few = [query for query in suite if query.kind == "individuals"][:2]
    folders = {code: cohort.nodes[code] for code in ("AT", "BE")}
    with a_network(folders, tmp_path, deadline_s=10) as (nodes, service):
        os.kill(nodes[1].pid, signal.SIGSTOP)
        network, rounds = NetworkUnderTest(service, nodes, 10), Rounds(controls=1, burst=2)
        asked = ask_suite(JudgedSuite(few, expected), network, tokens=cohort.tokens, rounds=rounds)
    rows = asked.answers.set_index("node")
    assert rows.loc["AT", "equal"].all()
    assert (rows.loc["BE", "state"] == "late").all()
    assert not rows.loc[["BE", "network"], "equal"].any()
    assert rows.loc["network", "reason"].str.startswith("late: BE ").all()
    # the second once the probes of the network have failed too
    either = "no whole answer within |circuit open: "
    assert rows.loc["network", "reason"].str.contains(either).all()
    assert qs02(asked.answers, 10).success_rate == 0.5


def test_a_wrong_truth_is_noticed(cohort: Cohort, suite, expected, tmp_path):
    """The judge finds each kind of exact answer wrong when the truth differs.

    A protected answer may be a marked refusal, which is right whatever the truth is.
    """
    other = {
        name: {
            code: ExpectedAnswer(not said.exists, said.count + 1, refused=not said.refused)
            for code, said in countries.items()
        }
        for name, countries in expected.items()
    }
    exact = [query for query in suite if query.tier == "controlled"]
    few = list({query.kind: query for query in exact}.values())
    with a_network({"AT": cohort.nodes["AT"]}, tmp_path) as (nodes, service):
        network, rounds = NetworkUnderTest(service, nodes, 10), Rounds(controls=1, burst=0)
        asked = ask_suite(JudgedSuite(few, other), network, tokens=cohort.tokens, rounds=rounds)
    assert not asked.answers["equal"].any()
    assert (asked.answers["reason"] != "").all()


# --- nodes of others ---


def foreign_command(manner: str, node: str):
    def command(launch: Launch) -> list[str]:
        script = Path(__file__).with_name("foreign_stub.py")
        return [sys.executable, str(script), node, str(launch.endpoint), manner]

    return command


def ask_with_foreign(
    cohort: Cohort, suite: Sequence[Query], expected, folder: Path, manner: str | None
) -> SuiteRun:
    """Run the suite with a node of others for FI: ours, or one that looks foreign."""
    ours = {code: cohort.nodes[code] for code in ("AT", "BE")}
    with ExitStack() as stack:
        # the operator's own process, with a copy of results/nodes/FI
        (theirs,) = stack.enter_context(
            running_nodes({"FI": cohort.nodes["FI"]}, folder / "theirs")
        )
        if manner is not None:
            command = foreign_command(manner, theirs.url)
            (theirs,) = stack.enter_context(
                running_nodes({"FI": folder}, folder / "front", 30, command)
            )
        write_nodes([theirs], folder / "nodes.yaml")
        foreign = read_foreign_nodes(folder / "nodes.yaml", CODES)
        started = stack.enter_context(running_nodes(ours, folder / "ours"))
        nodes = with_foreign(started, foreign)
        service = stack.enter_context(running_network(nodes, 10, folder / "ours"))
        return ask_suite(
            JudgedSuite(suite, expected),
            NetworkUnderTest(service, nodes, 10),
            foreign=["FI"],
            tokens=cohort.tokens,
            rounds=Rounds(controls=1, burst=0),
        )


def exactly(suite: Sequence[Query]) -> list[Query]:
    """Select the queries of the tier with unprotected answers."""
    return [query for query in suite if query.tier == "controlled"]


def test_a_node_started_by_somebody_else_is_judged_like_ours(
    cohort: Cohort, suite, expected, tmp_path
):
    some = [query for query in exactly(suite) if query.method == "POST"][::5]
    asked = ask_with_foreign(cohort, some, expected, tmp_path, manner=None)
    wrong = asked.answers[~asked.answers["equal"]]
    assert wrong.empty, wrong[["query", "node", "observed", "truth", "reason"]].to_string()
    assert set(asked.answers["node"]) == {"AT", "BE", "FI", "network"}
    rows = asked.answers[asked.answers["node"] == "FI"].set_index("query")
    for query in some:
        granularity = query.request["query"]["requestedGranularity"]
        assert rows.loc[query.id, "judged_on"] in (granularity, "")


def test_a_foreign_node_that_only_says_yes_or_no_is_judged_on_that_and_marked(
    cohort: Cohort, suite, expected, tmp_path
):
    # as a GET this one is another query: for a term of that odd name
    some = [query for query in exactly(suite) if query.id != "ill-formed-unknown-operator"][::3]
    asked = ask_with_foreign(cohort, some, expected, tmp_path, manner="honest")
    wrong = asked.answers[~asked.answers["equal"]]
    assert wrong.empty, wrong[["query", "node", "observed", "truth", "reason"]].to_string()
    rows = asked.answers.set_index("node")
    assert set(rows.loc["FI", "judged_on"]) == {"boolean", ""}
    assert {"count", "record"} <= set(rows.loc["AT", "judged_on"])
    assert rows.loc["FI", "count"].isna().all()
    counted = rows.loc["network"][rows.loc["network", "judged_on"].isin(["count", "record"])]
    found = set(rows.loc["FI"].loc[rows.loc["FI", "exists"].fillna(False), "query"])
    lacking = counted["query"].isin(found)
    assert counted.loc[lacking, "missing"].str.startswith("FI: count").all()
    assert set(counted.loc[lacking, "verdict"]) == {"incomplete"}
    assert set(counted.loc[~lacking, "verdict"]) == {"right"}  # a "no" has no count


def test_a_foreign_node_that_takes_only_post_and_gives_no_counts_of_alleles_ends_no_run(
    cohort: Cohort, suite, expected, tmp_path
):
    kinds = ("frequency-get", "frequency-common", "public-record", "carriers-records")
    some = [query for query in suite if query.id.rsplit("-", 1)[0] in kinds]
    asked = ask_with_foreign(cohort, some, expected, tmp_path, manner="frugal")
    rows = asked.answers.set_index("query")
    wrong = rows[~rows["equal"]]
    assert wrong.empty, wrong[["node", "observed", "truth", "reason"]].to_string()
    found = rows[(rows["kind"] == "allele_frequency") & (rows["tier"] == "controlled")]
    found = found[(found["node"] == "FI") & found["exists"]]
    assert set(found["verdict"]) == {"incomplete"}
    assert set(found["missing"]) == {"numbers of alleles, numbers by zygosity"}
    assert set(rows.loc[rows["node"] == "AT", "verdict"]) == {"right"}


def test_a_foreign_node_that_says_no_where_it_should_say_yes_is_found(
    cohort: Cohort, suite, expected, tmp_path
):
    some = [query for query in exactly(suite) if query.kind in ("count", "allele_frequency")][::4]
    asked = ask_with_foreign(cohort, some, expected, tmp_path, manner="lying")
    rows = asked.answers[asked.answers["node"] == "FI"].set_index("query")
    network = asked.answers[asked.answers["node"] == "network"].set_index("query")
    for query in some:
        holds = expected[query.id]["FI"].exists
        assert rows.loc[query.id, "equal"] != holds
        # even if other countries' yes makes the aggregated answer right
        assert network.loc[query.id, "equal"] != holds
    assert (~rows["equal"]).sum() > 3


def test_a_node_without_phenotypes_has_no_evidence_for_the_indicators_that_name_them(
    cohort: Cohort, suite, expected, tmp_path
):
    """Phenotypes are switched off at AT, as at a node that is built from VCF files only."""
    bare = tmp_path / "AT"
    shutil.copytree(cohort.nodes["AT"], bare)
    replace(NodeSettings.read(bare), genotypes_only=True).write(bare)
    (bare / "people.sqlite").unlink()
    mine = cohort.people[cohort.people["country"] == "AT"]
    none = {name: getattr(cohort, name).iloc[:0] for name in ("diseases", "features")}
    none["measurements"] = cohort.measurements.iloc[:0]
    none["consent"] = cohort.consent[cohort.consent["individual"].isin(mine["id"])]
    build_people(mine, none, bare / "people.sqlite", ontology=HumanPhenotypeOntology())
    exact = [query for query in exactly(suite) if query.kind != "carriers"]
    with a_network({"AT": bare, "BE": cohort.nodes["BE"]}, tmp_path) as (nodes, service):
        network, rounds = NetworkUnderTest(service, nodes, 10), Rounds(controls=1, burst=0)
        asked = ask_suite(
            JudgedSuite(exact, expected), network, tokens=cohort.tokens, rounds=rounds
        )
    evidence = RunEvidence(asked.answers, 10, {}, [], [], None, {}, foreign=["AT", "BE"])
    indicators = read_indicators(ROOT / "config" / "maturity.yaml")
    nodes_said = build_maturity(indicators, evidence, ["AT", "BE"], "")["nodes"]
    assert nodes_said["BE"]["checks"]["records"]["status"] == "held"
    failed = {key for key, one in nodes_said["AT"]["indicators"].items() if one == "failed"}
    # counts are of those who carry a variant, and need no phenotypes
    assert failed == {one.key for one in indicators if "records" in one.checks}
    assert "failed" not in nodes_said["BE"]["indicators"].values()


def test_our_own_node_may_not_give_less(cohort: Cohort, suite, expected, tmp_path):
    # where the answer is "no", the network's count of 0 is right without a count from the node
    counts = [query for query in suite if query.kind == "count"]
    some = [query for query in counts if expected[query.id]["FI"].exists][:3]
    assert len(some) == 3
    with running_nodes({"FI": cohort.nodes["FI"]}, tmp_path / "n") as (node,):
        command = foreign_command("honest", node.url)
        with (
            running_nodes({"FI": tmp_path}, tmp_path / "f", 30, command) as nodes,
            running_network(nodes, 10, tmp_path / "s") as service,
        ):
            network, rounds = NetworkUnderTest(service, nodes, 10), Rounds(controls=1, burst=0)
            wanted = JudgedSuite(some, expected)
            asked = ask_suite(wanted, network, tokens=cohort.tokens, rounds=rounds)
    assert not asked.answers["equal"].any()


FAULTS = (
    "answers half a body",
    "disk full for the audit log",
    "people.sqlite bit flipped",
    "clock 10 minutes slow",
    "network killed and restarted",
)


def test_faults_of_real_processes_are_marked_and_mended(cohort: Cohort, suite, expected, tmp_path):
    """One scenario of each kind and a node that must not start; the default run has all."""
    issuer = cohort.nodes["BE"].parents[1] / "issuer"
    queries = select_kinds_in_turn(suite, 8)
    test = FaultTest(cohort.nodes, issuer, "BE", queries, expected, per_s=6)
    scenarios = [one for one in SCENARIOS if one.name in FAULTS]
    table = run_faults(test, scenarios, tmp_path, tmp_path / "logs")
    assert table["scenario"].tolist() == list(FAULTS)
    assert table["held"].all(), table["why"].tolist()
    assert not table["unmarked"].any()
    assert (table["marked"] > 0).all()
    said = dict(zip(table["scenario"], table["said"], strict=True))
    assert said["people.sqlite bit flipped"].startswith("people.sqlite: checksum:")
