"""Measure the cost of matching a new patient against a node's subscriptions.

``python benchmarks/alerts.py FOLDER [--subscriptions 1000]``: FOLDER is a node's folder; nothing in
it is changed. There are two cases. Either no subscription matches the patient, or all match, so
that each costs a decision, a line of the audit log and a row.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from measuring import footer

from rehearsal.model import Variant
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import DATASETS_URL, AccessSettings, IssuerSettings
from rehearsal.node.access.visas import Caller, Visa
from rehearsal.node.alerts.alert_store import AlertStore, Subscription
from rehearsal.node.alerts.patient_import import NewPatient
from rehearsal.node.alerts.profile import Profile
from rehearsal.node.alerts.subscription_matcher import SubscriptionMatcher
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.server import open_node

ISSUER = IssuerSettings("https://issuer.example", jwks_url="https://issuer.example/jwks")
HPO = "HP:0033141"


def subscriptions(number: int, dataset: str, gene: str) -> list[Subscription]:
    """Make subscriptions that look for the same profile.

    Args:
        number: How many.
        dataset: Dataset that their owners may access.
        gene: Gene of the profile.
    """
    grant = Visa(
        ISSUER.issuer, "c", "ControlledAccessGrants", f"{DATASETS_URL}{dataset}", "x", "dac", 1e12
    )
    role = Visa(
        ISSUER.issuer, "c", "AffiliationAndRole", "clinician@hospital.example.es", "x", "so", 1e12
    )
    return [
        Subscription(
            f"{i:032x}",
            Caller(ISSUER.issuer, f"clinician-{i}", (grant, role), 1e12),
            "DUO:0000043",
            Profile("male", (18, 50), (HPO,), gene, 0.01),
        )
        for i in range(number)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a node's folder")
    parser.add_argument("--subscriptions", type=int, default=1000, help="number of subscriptions")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of each case")
    options = parser.parse_args()
    opened = open_node(options.folder)
    settings = replace(opened.settings, access=AccessSettings(issuers=(ISSUER,)))
    node_data = NodeData(settings, opened.variants, opened.people)
    gene = next(iter(node_data.genes.values()))
    found = {Variant(gene.contig, gene.start + 1, "A", "N")}
    alike = NewPatient("A", "male", 30, frozenset({HPO}), frozenset(found), ("DUO:0000004",))
    cases = {"no match": replace(alike, terms=frozenset()), "all match": alike}
    with tempfile.TemporaryDirectory() as folder:
        store = AlertStore(Path(folder) / "alerts.sqlite")
        for one in subscriptions(options.subscriptions, settings.people_dataset, gene.name):
            store.subscriptions[one.id] = one  # only alerts are written here
        authorizer = Authorizer(
            node_data.settings, node_data.people, audit=AuditLog(Path(folder) / "audit.jsonl")
        )
        monitor = SubscriptionMatcher(node_data, authorizer, store, None)
        for name, patient in cases.items():
            took = []
            for number in range(options.repeats):
                begun = time.perf_counter()
                alerts = monitor.process(replace(patient, person=f"{patient.person}{number}"))
                took.append(time.perf_counter() - begun)
            each = 1000 * min(took) / options.subscriptions
            what = f"{each:.4f} ms per subscription, best of {len(took)}"
            print(f"{name}: {len(alerts)} alerts, {what}")
    print(f"{node_data.people.size} people, {footer()}")


if __name__ == "__main__":
    main()
