"""Scores and subscriptions through the network, over nodes as real processes."""

import http.client
import json
import math
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest

from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.network.alerts import AGAIN_S, GRACE_S
from rehearsal.network.issuer import CENTRAL_COMMITTEE, TRUSTED, make_issuer, rehearsal_access
from rehearsal.network.registry import read_endpoint, write_nodes
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.alerts.subscription_matcher import LOOK_S
from rehearsal.node.drug_genes import COLUMNS
from rehearsal.node.settings.node_settings import Gene, NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.phenotypes.trait_types import Disease
from rehearsal.stores.people_store_writer import build_people

from .openapi_checks import check_answer
from .starting import told_when_ready

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

COUNTRIES = ("EE", "FI")
PEOPLE = 40  # per node
CARE, HMB = "DUO:0000043", "DUO:0000006"
HEART = "ICD10:I25.1"
DISEASE = Disease("heart", HEART, "Heart", "MONDO:0005010", "heart", {}, None, {}, (), ())
TLR7 = Gene("TLR7", "chrX", 12_867_071, 12_890_361, "+")
SITES = [20_000_000 + 100 * i for i in range(12)]
WEIGHTS = np.linspace(0.2, 0.9, len(SITES))
PROFILE = {"terms": ["HP:0033141"], "gene": "TLR7", "maximumFrequency": 0.01}
SLOW_MACHINE_S = 30.0


def cohort(country: str):
    """Draw people, their copies of each allele, and the age at which they fall ill."""
    random = np.random.default_rng(ord(country[0]))
    people = pd.DataFrame(
        {
            "id": [f"{country}-{i:06d}" for i in range(PEOPLE)],
            "sex": ["female", "male"] * (PEOPLE // 2),
            "birth_year": random.integers(1940, 1970, PEOPLE),
        }
    ).assign(family=None, father=None, mother=None)
    copies = random.binomial(2, 0.3, (len(SITES), PEOPLE))
    copies[:, 0] = 2  # the first person has the highest score
    ill = random.random(PEOPLE) < 0.4
    onset = pd.Series(random.integers(40, 55, PEOPLE), index=people["id"])[ill]
    return people, copies, onset


def write_node(folder: Path, country: str, trusted: str) -> None:
    people, copies, onset = cohort(country)
    (folder / "scores").mkdir(parents=True)
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr22,length=50818468>"]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="">')
    lines.append("#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t"))
    lines[-1] += "\t" + "\t".join(people["id"])
    for start, row in zip(SITES, copies, strict=True):
        calls = "\t".join(("0/0", "0/1", "1/1")[number] for number in row)
        lines.append(f"chr22\t{start + 1}\t.\tA\tG\t.\t.\t.\tGT\t{calls}")
    (folder / "all.vcf").write_text("\n".join(lines) + "\n")
    build_from_vcf([folder / "all.vcf"], people, folder / "variants.sqlite")
    diseases = pd.DataFrame({"individual": onset.index, "age_of_onset": onset.to_numpy()})
    diseases = diseases.assign(code=HEART, label="Heart", mondo="MONDO:0005010")
    consent = pd.DataFrame({"individual": people["id"], "basis": "x", "uses": "DUO:0000004"})
    consent["withdrawn"] = consent.index == 3
    build_people(people, {"diseases": diseases, "consent": consent}, folder / "people.sqlite")
    effects = pd.DataFrame({"trait": "heart", "contig": "chr22", "start": SITES, "ref": "A"})
    effects = effects.assign(alt="G", effect=WEIGHTS, frequency=0.3)
    write_scoring_file(effects, DISEASE, folder / "scores" / "heart.txt.gz")
    rule = f"ATC:C10AA01 statin GENE c.1 chr22 {SITES[0] + 1} A G 1 none (m)".split()
    (folder / "drug_genes.tsv").write_text("\t".join(COLUMNS) + "\n" + "\t".join(rule) + "\n")
    (folder / TRUSTED).write_text(trusted)
    access = rehearsal_access(country)
    NodeSettings.for_country(country, country, genes=[TLR7], access=access).write(folder)


def pooled(countries=COUNTRIES):
    """List everyone who permits it: country, sex, score, last year of follow-up, whether ill."""
    parts = []
    for country in countries:
        people, copies, onset = cohort(country)
        last = 2026 - people["birth_year"].to_numpy() - 1
        years = onset.reindex(people["id"])
        table = people.assign(
            country=country,
            score=WEIGHTS @ copies - 2 * 0.3 * WEIGHTS.sum(),
            ill=years.notna().to_numpy(),
            left=np.where(years.notna(), years, last).astype(float),
        )
        parts.append(table.drop(index=3))
    return pd.concat(parts, ignore_index=True)


class Nodes:
    """Nodes and their network as processes, which a test may stop and restart."""

    def __init__(self, top: Path, stack: ExitStack) -> None:
        self.top, self._stack = top, stack
        self.issuer = make_issuer(top / "issuer")
        trusted = (self.issuer.folder / "jwks.json").read_text()
        for country in COUNTRIES:
            write_node(self.folder(country), country, trusted)
        self._processes = {}
        self.endpoints = top / "endpoints"
        self.endpoints.mkdir()
        self.ports = {}
        for country in COUNTRIES:
            self.start(country)
        listed = top / "nodes.yaml"
        entries = [read_endpoint(self.endpoints / f"{country}.json") for country in COUNTRIES]
        write_nodes(entries, listed)
        self.url = self._run("network", "network", "serve", "--nodes", listed, "--deadline-s", "2")
        with urlopen(f"{self.url}/openapi.json") as answer:
            self.description = json.load(answer)

    def folder(self, country: str) -> Path:
        return self.top / "nodes" / country

    def start(self, country: str) -> None:
        url = self._run(
            country, "node", "serve", self.folder(country), "--port", self.ports.get(country, 0)
        )
        self.ports[country] = urlsplit(url).port

    def stop(self, country: str) -> None:
        self._processes[country].send_signal(signal.SIGTERM)
        self._processes[country].wait()

    def _run(self, name: str, *arguments: object) -> str:
        endpoint = self.endpoints / f"{name}.json"
        command = [sys.executable, "-m", "rehearsal", *map(str, arguments)]
        process = subprocess.Popen([*command, "--endpoint-file", str(endpoint)])
        self._processes[name] = process
        self._stack.callback(_end, process)
        return told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"]

    def token(self, role="researcher", country="EE"):
        who = create_person(role, country, [CENTRAL_COMMITTEE], self.issuer.url)
        return sign_tokens(self.issuer, who).passport

    def ask(self, path, body=None, token=None, purpose=HMB, method=None):
        """Return status and body; fails if they do not match the OpenAPI description."""
        method = method or ("GET" if body is None else "POST")
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        headers["X-Rehearsal-Purpose"] = purpose
        given = None if body is None else json.dumps(body)
        connection.request(method, path, given, headers)
        response = connection.getresponse()
        said = json.loads(response.read())
        connection.close()
        check_answer(self.description, method, path, response.status, said)
        return response.status, said

    def admit(self, country, packet, consent="DUO:0000004"):
        path = self.top / "patient.json"
        path.write_text(json.dumps(packet))
        command = [sys.executable, "-m", "rehearsal", "node", "admit", self.folder(country), path]
        subprocess.run([*map(str, command), "--consent", consent], check=True)


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()


@contextmanager
def running(top: Path):
    with ExitStack() as stack:
        yield Nodes(top, stack)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    with running(tmp_path_factory.mktemp("run")) as started:
        yield started


@pytest.fixture(scope="module")
def digest(nodes):
    status, said = nodes.ask("/scores")
    assert status == 200
    (file,) = said["response"]["scoringFiles"]
    assert file["nodes"] == list(COUNTRIES)
    return file["scoringFile"]


def histogram(digest, **more):
    return {"scoringFile": digest, "bins": {"from": -4, "to": 10, "width": 0.5}, **more}


def test_histograms_are_added_exactly(nodes, digest):
    status, said = nodes.ask("/scores", histogram(digest))
    assert status == 200
    joined = said["response"]
    expected, _ = np.histogram(pooled()["score"], joined["edges"])
    assert joined["groups"][0]["counts"] == expected.tolist()
    assert joined["people"] == len(pooled())
    assert set(joined["countries"]) == set(COUNTRIES)
    assert "score" not in json.dumps(said).replace("scoringFile", "")


def test_a_clinician_learns_where_her_patient_stands(nodes, digest):
    patient = {"node": "FI", "id": "FI-000000"}
    asked = histogram(digest, patient=patient)
    status, said = nodes.ask("/scores", asked, nodes.token("clinician", "FI"), CARE)
    assert status == 200
    told = said["response"]["patient"]
    everybody = pooled()
    score = everybody.loc[everybody["id"] == "FI-000000", "score"].item()
    assert told["score"] == pytest.approx(score)
    for name, people in (("network", everybody), ("FI", pooled(["FI"]))):
        place = told["percentiles"][name]
        below = 100 * (people["score"] < score).mean()
        assert place["below"] <= below <= place["upTo"]
    # another country's clinician sees the histogram, not the patient
    status, said = nodes.ask("/scores", asked, nodes.token("clinician", "EE"), CARE)
    assert (status, said["response"]["patient"]["state"]) == (200, "refused")
    assert "score" not in said["response"]["patient"]


def test_drugs_are_flagged_where_the_patient_is(nodes):
    path = "/drug_flags/FI/FI-000000?drugs=ATC:C10AA01,ATC:C10AA05"
    status, said = nodes.ask(path, None, nodes.token("clinician", "FI"), CARE)
    assert status == 200
    flags = {one["drug"]: one["flagged"] for one in said["response"]["drugs"]}
    assert flags == {"ATC:C10AA01": True, "ATC:C10AA05": False}
    assert [one["node"] for one in said["info"]["nodes"]] == ["FI"]
    assert nodes.ask(path, None, nodes.token("clinician", "EE"), CARE)[0] == 403


def test_the_hazard_ratio_is_that_of_the_pooled_people(nodes, digest):
    lifelines = pytest.importorskip("lifelines")
    status, said = nodes.ask("/scores/hazard", {"scoringFile": digest, "disease": HEART})
    assert status == 200
    told = said["response"]
    table = pooled()[["country", "sex", "score", "ill", "left"]]
    fitted = lifelines.CoxPHFitter().fit(table, "left", "ill", strata=["country", "sex"])
    assert told["coefficient"] == pytest.approx(fitted.params_["score"], abs=1e-6)
    assert told["standardError"] == pytest.approx(fitted.standard_errors_["score"], abs=1e-6)
    low, high = np.exp(fitted.confidence_intervals_.loc["score"])
    assert (told["low"], told["high"]) == (pytest.approx(low), pytest.approx(high))
    assert told["events"] == table["ill"].sum()
    assert math.log(told["hazardRatio"]) == pytest.approx(told["coefficient"])


# --- subscriptions ---


def packet(name, feature="HP:0033141"):
    record = {"genomeAssembly": "GRCh38", "chrom": "chrX", "pos": "12886152"}
    record |= {"ref": "A", "alt": "G"}
    said = {"variantInterpretation": {"variationDescriptor": {"vcfRecord": record}}}
    return {
        "subject": {"id": name, "sex": "MALE"},
        "phenotypicFeatures": [{"type": {"id": feature}}],
        "interpretations": [{"diagnosis": {"genomicInterpretations": [said]}}],
    }


def test_an_alert_comes_within_five_seconds_once_and_after_a_restart(nodes):
    pablo = nodes.token("clinician", "EE")
    ask = {"token": pablo, "purpose": CARE}
    status, said = nodes.ask("/subscriptions", {"profile": PROFILE}, **ask)
    assert (status, said["response"]["nodes"]) == (200, list(COUNTRIES))
    identifier = said["response"]["subscription"]

    nodes.admit("FI", packet("FI-MILD", feature="HP:0001945"))  # a control with mild disease
    nodes.stop("FI")
    status, said = nodes.ask("/alerts", **ask)
    states = {one["node"]: one["state"] for one in said["info"]["nodes"]}
    assert (states["EE"], states["FI"], said["info"]["complete"]) == ("answered", "failed", False)
    nodes.start("FI")
    nodes.admit("FI", packet("FI-A1"))
    # a waiting subscriber is notified within five seconds, the interval of the node
    assert LOOK_S + AGAIN_S + GRACE_S < 5
    status, said = nodes.ask("/alerts?waitS=20", **ask)
    (alert,) = said["response"]["alerts"]
    assert (alert["subscription"], alert["node"]) == (identifier, "FI")
    assert "FI-A1" not in json.dumps(said)

    nodes.stop("FI")
    nodes.start("FI")
    nodes.admit("FI", packet("FI-A1"))  # the same person again
    while (nodes.folder("FI") / "arrivals" / "FI-A1.json").exists():
        time.sleep(0.05)
    status, said = nodes.ask("/alerts?waitS=1", **ask)
    assert said["response"]["alerts"] == [alert]
    tokens = {"tokens": [alert["token"]]}
    assert nodes.ask("/alerts/acknowledged", tokens, **ask)[1]["response"] == {"acknowledged": 1}
    assert nodes.ask("/alerts", **ask)[1]["response"]["alerts"] == []

    status, said = nodes.ask(f"/subscriptions/{identifier}", method="DELETE", **ask)
    assert (status, said["response"]["nodes"]) == (200, list(COUNTRIES))
    assert nodes.ask("/subscriptions", **ask)[1]["response"]["subscriptions"] == []


def test_what_no_node_takes_is_refused_with_its_reason(nodes):
    status, said = nodes.ask("/subscriptions", {"profile": {"gene": "ABC1"}}, purpose=HMB)
    assert status == 400
    assert "2 of 2 nodes refused" in said["error"]["errorMessage"]
