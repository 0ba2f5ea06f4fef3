"""Nodes that run the algorithms of config/, for tests and each over people of its own."""

import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from rehearsal.network.registry import read_endpoint
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.node.wes.algorithms import algorithm_digest
from rehearsal.stores.people_store_writer import build_people
from tests.unit.signing_keys import COORDINATOR, public_keys, write_key

from .starting import told_when_ready

ROOT = Path(__file__).resolve().parents[2]
ALGORITHMS = ROOT / "config/algorithms"
HEIGHT, DISEASE = "LOINC:8302-2", "ICD10:J45"
LEAST = 5
PARTNERS = ("BE", "EE", "FI")


def write_node(folder, country, genotypes, sites, people, cases=None, **limits):
    """A node's folder with the people of one country, open to everybody; ``cases``: at most.

    The disease begins at 30, or at the age in the column ``onset``.
    """
    folder.mkdir(parents=True)
    names = [f"{country}-{i:06d}" for i in range(len(people))]
    born = (2026 - people["age"]).astype(int).to_numpy()
    table = pd.DataFrame({"id": names, "sex": people["sex"].to_numpy(), "birth_year": born})
    table = table.assign(family=None, father=None, mother=None)
    here = np.flatnonzero((genotypes > 0).any(axis=1))
    calls = np.array(["0/0", "0/1", "1/1"])
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    about = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">'
    lines = ["##fileformat=VCFv4.3", about]
    lines += [f"##contig=<ID={name},length={n}>" for name, n in LENGTHS.items()]
    lines += ["\t".join([*columns, *names])]
    for row in here:
        contig, start, ref, alt = sites[row]
        fixed = [contig, str(start + 1), ".", ref, alt, ".", ".", ".", "GT"]
        lines.append("\t".join([*fixed, *calls[genotypes[row]]]))
    (folder / "all.vcf").write_text("\n".join(lines) + "\n")
    build_from_vcf([folder / "all.vcf"], table, folder / "variants.sqlite")
    known = people["height"].notna().to_numpy()
    measured = pd.DataFrame(
        {
            "individual": np.array(names)[known],
            "code": HEIGHT,
            "label": "Body height",
            "value": people["height"].to_numpy()[known],
            "unit": "cm",
            "age": people["age"].to_numpy()[known],
        }
    )
    ill = np.flatnonzero(people["disease"])[:cases]
    onset = people["onset"].to_numpy(float)[ill] if "onset" in people else 30.0
    diseases = {"individual": np.array(names)[ill], "code": DISEASE, "label": "Asthma"}
    diseases = pd.DataFrame(diseases).assign(mondo="MONDO:0004979", age_of_onset=onset)
    tables = {"measurements": measured, "diseases": diseases}
    build_people(table, tables, folder / "people.sqlite")
    shutil.copytree(ALGORITHMS, folder / "algorithms")
    settings = NodeSettings.for_country(country, country).opened()
    write_key(folder / "keys/identity.pem", country)
    usual = AnalysisSettings(
        memory_mb=1500,
        smallest_count=LEAST,
        modes=("clear", "masked"),
        partners=public_keys(*PARTNERS),
        coordinators=tuple(public_keys(COORDINATOR).values()),
    )
    analyses = replace(usual, **limits)
    digests = tuple(algorithm_digest(one) for one in sorted(ALGORITHMS.iterdir()))
    replace(settings, algorithms=digests, analyses=analyses).write(folder)


LENGTHS = {"chr1": 248956422, "chr2": 242193529, "chr3": 198295559}


@contextmanager
def serving(folder):
    """Serve a node; yields its entry in a registry."""
    command = [sys.executable, "-m", "rehearsal.node.server", folder, "--port", "0"]
    endpoint = folder / "endpoint.json"
    process = subprocess.Popen([*command, "--endpoint-file", endpoint])
    try:
        told_when_ready(process, endpoint, 120)
        yield read_endpoint(endpoint)
    finally:
        process.terminate()
        process.wait()
