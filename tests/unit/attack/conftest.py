"""Node folders of two countries with consents, diagnoses and independent alleles."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.attack.attacked_node import Bounds, read_attacked_node
from rehearsal.node.privacy.public_facts_writer import write_public_facts
from rehearsal.phenotypes.consent import ConsentShares, Record
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store_writer import StoreWriter

PEOPLE, ALLELES = 101, 4_000
CONSENT = "DUO:0000042"


def write_made_up_node(folder, seed, people=PEOPLE, alleles=ALLELES):
    """Independent alleles as frequent as after neutral drift, equally in all countries."""
    random, same = np.random.default_rng(seed), np.random.default_rng(0)
    folder.mkdir()
    frame = pd.DataFrame({"id": [f"{folder.name}-{i}" for i in range(people)]})
    frame = frame.assign(
        sex=np.where(random.random(people) < 0.5, "female", "male"),
        birth_year=1970,
        family=None,
        father=None,
        mother=None,
    )
    frame.loc[:1, "family"] = "relatives"
    frame.to_parquet(folder / "individuals.parquet")
    uses = pd.Series(CONSENT, frame.index)
    uses[people // 2 :] = "DUO:0000004"  # public facts come from people who permit any use
    uses[2] = "DUO:0000043"  # clinical care only: no public purpose
    consent = pd.DataFrame({"individual": frame["id"], "basis": "", "uses": uses})
    ill = frame["id"][random.random(people) < 0.3]
    diseases = pd.DataFrame({"individual": ill, "code": "E11", "label": "a disease"})
    tables = {
        "consent": consent.assign(withdrawn=False),
        "diseases": diseases.assign(mondo="MONDO:0005148", age_of_onset=50),
    }
    build_people(frame, tables, folder / "people.sqlite")
    share = 1 - (1 - 1e-3 * (0.9 / 1e-3) ** same.random(alleles)) ** 2
    women = (frame["sex"] == "female").to_numpy()
    with StoreWriter(folder / "variants.sqlite", frame, {"chr1": 1_000_000}) as writer:
        holds = random.random((alleles, people)) < share[:, None]
        writer.write(folder, [_row(i, np.flatnonzero(one), women) for i, one in enumerate(holds)])


def _row(number, carriers, women):
    counts = []
    for of_sex in (women, ~women):
        n = int(of_sex[carriers].sum())
        counts += [2 * int(of_sex.sum()), n, 0, n, 0]
    return (0, 100 + 200 * number, "A", "T", 0, 0, 0, *counts, encode(carriers), b"")


@pytest.fixture(scope="session")
def made_up_nodes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made up")
    folders = {code: folder / code for code in ("AT", "BE")}
    for seed, one in enumerate(folders.values(), start=1):
        write_made_up_node(one, seed)
    forms = ConsentShares((Record("", 1.0, "", (CONSENT,)),), 0.0)
    write_public_facts(folders, forms)
    return folders


@pytest.fixture(scope="session")
def node(made_up_nodes):
    return read_attacked_node("AT", made_up_nodes["AT"], Bounds())
