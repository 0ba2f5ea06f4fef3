"""Story 4 with real nodes: it passes, and its verdict changes with events at a node."""

import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.config.tables import read_genes, read_planted
from rehearsal.network.issuer import TRUSTED, make_issuer, rehearsal_access
from rehearsal.network.launcher import running_network, running_nodes
from rehearsal.network.registry import NodeEntry, with_foreign
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.report.story_causes import name_story_causes
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stories.query_context import StoryNetwork
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.run_stories import run_stories
from rehearsal.stories.story_reader import read_stories
from rehearsal.truth.expected_answers import ExpectedAnswer, expected_to_json

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "workflow/schemas"
STUB = ROOT / "tests/system/foreign_stub.py"
COUNTRIES = ("DE", "ES", "IT")
SEVERE, CARE = "HP:0033141", "DUO:0000042, DUO:0000043"
TLR7 = "chrX\t12886152\t.\tA\tG\t.\t.\t.\tGT"
# of each country: whether female, copies of the brothers' variant, whether severely ill
PEOPLE = {
    "DE": [(True, 0, False), (False, 0, True)],
    "ES": [(False, 1, True), (False, 1, True), (True, 1, False), (False, 0, True)],
    "IT": [(True, 0, False), (False, 0, False)],
}


@pytest.fixture(scope="module")
def story():
    everywhere = [line.split("\t")[0] for line in (ROOT / "config/countries.tsv").open()]
    planted = read_planted(
        ROOT / "config/variants.tsv", SCHEMAS / "variants.schema.yaml", everywhere
    )
    genes = read_genes(ROOT / "config/genes.tsv", SCHEMAS / "genes.schema.yaml")
    references = RunReferences(everywhere, planted, genes, read_traits(ROOT / "config/traits.yaml"))
    stories = read_stories(ROOT / "config/stories", references)
    return next(one for one in stories if one.name == "infectious")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("run") / "issuer")


def write_node(folder: Path, country: str, issuer, withdrawn: bool) -> Path:
    rows = PEOPLE[country]
    ids = [f"{country}-{i:06d}" for i in range(len(rows))]
    people = pd.DataFrame({"id": ids, "birth_year": 1990})
    people["sex"] = ["female" if female else "male" for female, _, _ in rows]
    people = people.assign(family=None, father=None, mother=None)
    calls = ["0/1" if female and n else "0/0" if female else str(n) for female, n, _ in rows]
    folder.mkdir(parents=True)
    header = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t")
    (folder / "all.vcf").write_text(
        '##fileformat=VCFv4.3\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
        "##contig=<ID=chrX,length=156040895>\n"
        + "\t".join([header, *ids])
        + "\n"
        + "\t".join([TLR7, *calls])
        + "\n"
    )
    build_from_vcf([folder / "all.vcf"], people, folder / "variants.sqlite")
    severe = [name for name, (_, _, ill) in zip(ids, rows, strict=True) if ill]
    features = pd.DataFrame({"individual": severe, "code": SEVERE, "label": "Severe"})
    features["age_of_onset"] = 30
    consent = pd.DataFrame({"individual": ids, "basis": "x", "uses": CARE})
    consent["withdrawn"] = [country == "ES" and withdrawn and i < 2 for i in range(len(ids))]
    build_people(people, {"features": features, "consent": consent}, folder / "people.sqlite")
    (folder / TRUSTED).write_text((issuer.folder / "jwks.json").read_text())
    genes = read_genes(ROOT / "config/genes.tsv", SCHEMAS / "genes.schema.yaml")
    access = rehearsal_access(country)
    NodeSettings.for_country(country, country, genes=genes, access=access).write(folder)
    return folder


def expected(withdrawn: bool):
    """Count by hand, from ``PEOPLE``."""
    carriers, ill = (1, 0) if withdrawn else (3, 2)

    def counted(number):
        counts = {"DE": 0, "ES": number, "IT": 0}
        return {code: expected_to_json(ExpectedAnswer(n > 0, n)) for code, n in counts.items()}

    return {
        "infectious": {
            "variant-elsewhere": counted(carriers),
            "severe-like-them": counted(ill),
            "alert": {"alerts": ["third-patient"], "countries": list(COUNTRIES)},
        }
    }


def played(story, issuer, folder: Path, withdrawn=False, stopped=None, only=None, foreign=None):
    """Return the story's checks by name, and the results of its questions.

    ``foreign`` is the address of somebody else's node for Italy.
    """
    if only is not None:
        story = replace(story, questions=tuple(q for q in story.questions if q.id in only))
    folders = {
        country: write_node(folder / country, country, issuer, withdrawn) for country in COUNTRIES
    }
    handles = ["pablo", "pedro", "mother"]
    patients = pd.DataFrame({"story": "infectious", "handle": handles, "name": handles})
    patients["individual"] = [f"ES-{i:06d}" for i in range(3)]
    patients = patients.assign(country="ES", is_planted=True)
    others = {"IT": NodeEntry("IT", foreign, forward_token=True)} if foreign else {}
    own = {country: one for country, one in folders.items() if country not in others}
    with (
        running_nodes(own, folder / "log") as nodes,
        running_network(with_foreign(nodes, others.values()), 5, folder / "log") as service,
    ):
        if stopped is not None:
            (node,) = [one for one in nodes if one.country == stopped]
            os.kill(node.pid, signal.SIGKILL)
        network = StoryNetwork(service, 5.0, folders, nodes.restart, others)
        return run_stories([story], expected(withdrawn), patients, network, issuer)["infectious"]


def failed(result) -> set[str]:
    return {check["name"] for check in result["checks"] if not check["passed"]}


def test_the_story_passes_and_an_alert_comes_once_after_a_restart(story, issuer, tmp_path):
    result = played(story, issuer, tmp_path)
    assert failed(result) == set()
    told = result["questions"][-1]
    assert told["details"]["restarted"] == "IT"
    assert list(told["details"]["seconds"]) == [
        "third-patient"
    ]  # not the mild case, nor the one without consent
    assert [alert["node"] for alert in told["joined"]["alerts"]] == ["IT"]


def test_with_the_brothers_consent_withdrawn_the_verdict_changes(story, issuer, tmp_path):
    asked = ("variant-elsewhere", "severe-like-them")
    result = played(story, issuer, tmp_path, withdrawn=True, only=asked)
    assert not result["passed"]
    assert failed(result) == {
        "variant-elsewhere: number of matches",
        "severe-like-them: number of matches",
    }


def test_with_a_node_stopped_it_is_marked_and_the_verdict_changes(story, issuer, tmp_path):
    asked = ("variant-elsewhere", "alert")
    quiet = replace(
        story,
        questions=tuple(
            replace(q, parameters={**q.parameters, "restart": None}) for q in story.questions
        ),
    )
    result = played(quiet, issuer, tmp_path, stopped="ES", only=asked)
    assert not result["passed"]
    assert {
        "variant-elsewhere: every country answered",
        "alert: every country answered",
    } <= failed(result)
    states = {q["id"]: q["countries"]["ES"]["state"] for q in result["questions"]}
    assert states == {"variant-elsewhere": "failed", "alert": "failed"}


def test_in_place_of_a_node_stands_a_beacon_without_subscriptions(story, issuer, tmp_path):
    """Nobody can arrive there, so no alert is due; the Beacon's answers are judged."""
    behind = write_node(tmp_path / "theirs", "IT", issuer, withdrawn=False)
    with running_nodes({"IT": behind}, tmp_path / "log") as (node,):

        def command(launch):
            return [sys.executable, str(STUB), node.url, str(launch.endpoint), "honest"]

        with running_nodes({"IT": behind}, tmp_path / "front", 60, command) as (front,):
            result = played(story, issuer, tmp_path / "run", foreign=front.url)
    assert failed(result) == set()
    told = result["questions"][-1]
    assert told["checks"][0]["observed"] == ["IT"]
    assert told["countries"]["IT"]["state"] == "refused"
    assert {one["country"] for one in told["details"]["arrivals"]} == {"DE"}
    assert (told["details"]["restarted"], told["joined"]["alerts"]) == (None, [])


def test_a_node_of_others_that_is_down_fails_what_it_had_to_answer(story, issuer, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    result = played(story, issuer, tmp_path, foreign=url)
    assert {"alert: every country answered", "severe-like-them: every country answered"} <= failed(
        result
    )
    assert not {name for name in failed(result) if "alert" in name} - {
        "alert: every country answered"
    }
    (checks,) = name_story_causes([result]).values()
    (cause,) = {one for check in checks for one in check.get("causes", ())}
    assert cause.startswith("IT did not answer: ")
