"""A node of twelve people, small enough to count by hand, and its genotypes as plain data.

Women have even numbers, men odd ones. ``GENOTYPES`` is what every expectation is counted from.
"""

from __future__ import annotations

import asyncio
import random
import runpy
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import orjson
import pandas as pd
import pytest

from rehearsal.node.settings.node_settings import Gene, NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import COLUMNS as COLUMNS_OF
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store import VariantStore

PEOPLE = 12
REFERENCE_YEAR = 2025
WOMEN, MEN = range(0, PEOPLE, 2), range(1, PEOPLE, 2)
NAMES = [f"FI-{number + 1:06d}" for number in range(PEOPLE)]
CONTIGS = {"chr17": 83_257_441, "chr22": 50_818_468, "chrX": 156_040_895}

COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")  # of VCF

Allele = tuple[str, int, str, str]


def _many() -> dict[Allele, dict[int, int]]:
    """Thirty alleles on chr22 with two or more carriers each."""
    chance = random.Random(22)
    return {
        ("chr22", 21_000_000 + 100 * i, "A", "G"): {
            person: chance.choice((1, 1, 2))
            for person in chance.sample(range(PEOPLE), chance.randint(2, PEOPLE))
        }
        for i in range(30)
    }


# contig, 0-based start, ref, alt: copies by person
GENOTYPES: dict[Allele, dict[int, int]] = {
    ("chr17", 43_044_300, "A", "G"): {0: 1, 1: 1, 2: 1, 3: 2},
    ("chr17", 43_050_000, "C", "CA"): {8: 1},
    ("chr17", 43_050_000, "C", "T"): {0: 2, 5: 1, 9: 1},
    ("chr17", 43_057_061, "T", "TG"): {5: 1},
    ("chr17", 43_124_026, "ACT", "A"): {4: 1, 7: 1},
    ("chr17", 50_000_000, "G", "C"): {10: 1, 11: 2},
    **_many(),
    ("chr22", 22_000_000, "AC", "GT"): {7: 1},
    ("chrX", 12_886_151, "A", "G"): {1: 1, 3: 1, 2: 1, 4: 2},
}

GENES = (
    Gene(
        *("BRCA1", "chr17", 43_044_294, 43_125_364, "-"),
        ("HGNC:1100", "ENSG00000012048", "672"),
    ),
    Gene(
        *("TLR7", "chrX", 12_867_071, 12_890_361, "+"),
        ("HGNC:15631", "ENSG00000196664", "51284"),
    ),
)


HEART = ("ICD10:I25.1", "Atherosclerotic heart disease", "MONDO:0005010")
SMOKING = ("LOINC:72166-2", "Tobacco smoking status", "SNOMEDCT:8517006", "Ex-smoker")


def individuals() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": NAMES,
            "country": "FI",
            "sex": ["female" if i in WOMEN else "male" for i in range(PEOPLE)],
            "birth_year": [1940 + 5 * i for i in range(PEOPLE)],
            "family": [None] * (PEOPLE - 1) + ["FI-F1"],
            "father": [None] * (PEOPLE - 1) + [NAMES[1]],
            "mother": [None] * (PEOPLE - 1) + [NAMES[0]],
        }
    )


def phenotypes() -> dict[str, pd.DataFrame]:
    breast = ("ICD10:C50", "Breast cancer", "MONDO:0007254")
    return {
        "diseases": pd.DataFrame(
            [
                (NAMES[0], *HEART, 61.5),
                (NAMES[1], *HEART, 55.0),
                (NAMES[4], *breast, 44.0),
                (NAMES[5], *HEART, None),
            ],
            columns=["individual", "code", "label", "mondo", "age_of_onset"],
        ),
        "measurements": pd.DataFrame(
            [
                (name, "LOINC:22748-8", "LDL cholesterol", 2.0 + 0.25 * i, "mmol/L", 30.0)
                for i, name in enumerate(NAMES)
                if i != 11
            ],
            columns=["individual", "code", "label", "value", "unit", "age"],
        ),
        "features": pd.DataFrame(
            [
                (NAMES[6], "HP:0000252", "Microcephaly", 0.0),
                (NAMES[4], "HP:0003002", "Breast carcinoma", 44.0),
            ],
            columns=["individual", "code", "label", "age_of_onset"],
        ),
        **samples(NAMES),
        "treatments": pd.DataFrame(
            [
                (NAMES[0], "ATC:B01AC06", "acetylsalicylic acid", 75.0, 62, None, *HEART[:2])
                + (None,) * 4
            ],
            columns=COLUMNS_OF["treatments"],
        ),
        "exposures": pd.DataFrame([(NAMES[0], *SMOKING, 60)], columns=COLUMNS_OF["exposures"]),
        "family_history": pd.DataFrame(
            [
                (NAMES[0], NAMES[1], "HL7RoleCode:NBRO", "natural brother", *HEART, 55),
                (NAMES[1], NAMES[0], "HL7RoleCode:NSIS", "natural sister", *HEART, 61),
            ],
            columns=COLUMNS_OF["family_history"],
        ),
        "missing": pd.DataFrame(
            [(NAMES[11], "measurements", "LOINC:22748-8", "LDL cholesterol", "ASKU")],
            columns=COLUMNS_OF["missing"],
        ),
        "subjects": pd.DataFrame(
            [(name, f"{1940 + 5 * i}-06-01", "unknown") for i, name in enumerate(NAMES)],
            columns=COLUMNS_OF["subjects"],
        ),
    }


def samples(names: list[str]) -> dict[str, pd.DataFrame]:
    """A biosample, a run and an analysis for everybody."""
    blood = ("UBERON:0000178", "blood", "NCIT:C17610", "Blood Sample")
    biosamples = [
        (f"{name}-BS", name, *blood, "NCBITaxon:9606", "Homo sapiens", "2024-05-01", 30)
        for name in names
    ]
    platform = ("WGS", "OBI:0002630", "Illumina NovaSeq 6000")
    runs = [
        (
            *(f"{name}-RUN", name, f"{name}-BS", "2024-06-01", *platform),
            *(29.5 + i / 10, 10**11, 95.5, 5, 0.0007, 99.7, "simulated"),
        )
        for i, name in enumerate(names)
    ]
    analyses = [
        (
            *(f"{name}-AN", name, f"{name}-RUN", f"{name}-BS", "2024-07-01"),
            *("Rehearsal simulation", "none (simulated)", "none (simulated)"),
            *("FASTQ", "BCF", "GRCh38", 800 + i, 0, 0, 2.5, None, 1.75, "computed"),
        )
        for i, name in enumerate(names)
    ]
    rows = {"biosamples": biosamples, "runs": runs, "analyses": analyses}
    return {name: pd.DataFrame(rows[name], columns=COLUMNS_OF[name]) for name in rows}


def write_vcf(path: Path) -> Path:
    """The genotypes as VCF text."""
    lines = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += [f"##contig=<ID={name},length={length}>" for name, length in CONTIGS.items()]
    lines.append("\t".join([*COLUMNS, *NAMES]))
    for (contig, start, ref, alt), copies in GENOTYPES.items():
        calls = []
        for person in range(PEOPLE):
            carried = copies.get(person, 0)
            if contig == "chrX" and person in MEN:
                calls.append(str(carried))
            else:
                calls.append(("0/0", "0/1", "1/1")[carried])
        lines.append("\t".join([contig, str(start + 1), ".", ref, alt, *"...", "GT", *calls]))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_node(folder: Path) -> Path:
    """A whole node folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = NodeSettings.for_country(
        "FI", "Finland", GENES, build="0" * 64, reference_year=REFERENCE_YEAR
    )
    settings.opened().write(folder)
    build_from_vcf([write_vcf(folder / "all.vcf")], individuals(), folder / "variants.sqlite")
    build_people(individuals(), phenotypes(), folder / "people.sqlite", REFERENCE_YEAR)
    return folder


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory) -> Path:
    return write_node(tmp_path_factory.mktemp("node") / "FI")


@pytest.fixture(scope="session")
def people(node_folder):
    store = PeopleStore.open(node_folder / "people.sqlite")
    yield store
    store.close()


@pytest.fixture(scope="session")
def node_data(node_folder, people):
    from rehearsal.node.beacon.node_data import NodeData

    variants = VariantStore.open(node_folder / "variants.sqlite")
    yield NodeData(NodeSettings.read(node_folder), variants, people)
    variants.close()


@pytest.fixture(scope="session")
def facts() -> SimpleNamespace:
    """The genotypes from which expected counts are computed."""
    return SimpleNamespace(
        genotypes=GENOTYPES, names=NAMES, women=set(WOMEN), men=set(MEN), people=PEOPLE
    )


@pytest.fixture(scope="session")
def ask(node_data):
    """Query the app without a socket: ``ask("/individuals", {...body})`` or ``ask("/info")``.

    Gives (status, body as JSON).
    """
    from rehearsal.node.access.authorizer import Authorizer
    from rehearsal.node.app import beacon_app

    app = beacon_app(node_data, Authorizer(node_data.settings, node_data.people))

    def send(path, body=None, **parameters):
        if body is not None and not isinstance(body, bytes):
            body = orjson.dumps(body)
        status, _, answer = asyncio.run(call(app, path, body, urlencode(parameters, doseq=True)))
        return status, orjson.loads(answer)

    return send


async def call(app, path, body=None, parameters="", method=None, headers=()):
    """One request to an ASGI app without a socket: (status, headers, body)."""
    sent = []
    scope = {
        "type": "http",
        "method": method or ("GET" if body is None else "POST"),
        "path": path,
        "query_string": parameters.encode(),
        "headers": [(b"host", b"node.example"), *headers],
        "scheme": "http",
        "server": ("node.example", 80),
    }

    async def receive():
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    answer = b"".join(message.get("body", b"") for message in rest)
    return start["status"], dict(start["headers"]), answer


@pytest.fixture(scope="session")
def query(ask):
    """Send one POST query: ``query("g_variants", start=[1], ...)`` with request parameters.

    Options of the query start with an underscore: ``_filters``, ``_granularity``, ``_skip``,
    ``_limit``, ``_include``, ``_test``. Gives the body; the status must be 200.
    """

    def send(path, _filters=(), _granularity="count", _status=200, **options):
        page = {key: options.pop(f"_{key}") for key in ("skip", "limit") if f"_{key}" in options}
        asked = {
            "requestedGranularity": _granularity,
            "filters": list(_filters),
            "pagination": page,
            "includeResultsetResponses": options.pop("_include", "HIT"),
            "testMode": options.pop("_test", False),
            "requestParameters": options,
        }
        status, body = ask(f"/{path}", {"meta": {"apiVersion": "v2.0"}, "query": asked})
        assert status == _status, body
        return body

    return send


@pytest.fixture(scope="session")
def validator(shared):
    """The validator of Beacon's schemas: ``errors(schema, body)``, ``check(body, entry type)``."""
    pytest.importorskip("jsonschema")
    # the script needs the folder of the Beacon schemas
    schemas = shared / "reference" / "schemas" / "beacon-v2.1.1"
    return runpy.run_path(
        str(shared / "tools" / "validate_beacon.py"), init_globals={"B": f"{schemas}/"}
    )
