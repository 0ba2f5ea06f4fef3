"""Node folders that differ in one person, with the same public facts and the same secret key."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from shutil import copyfile

import pandas as pd

from rehearsal.catalogue.dataset_descriptor import uniform_terms
from rehearsal.catalogue.node_datasets import describe_node_datasets, write_node_catalogue
from rehearsal.node.access.matchmaker_settings import MatchmakerKey
from rehearsal.node.access.settings import AccessSettings, IssuerSettings
from rehearsal.node.drug_genes import COLUMNS as DRUG_COLUMNS
from rehearsal.node.matchmaker.index import FILE_NAME as MATCHMAKER
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index
from rehearsal.node.privacy.protection import Protection
from rehearsal.node.privacy.public_facts import PUBLIC_FACTS_FILE, PublicFacts
from rehearsal.node.privacy.public_facts_writer import write_public_facts
from rehearsal.node.privacy.secret_key import KEY_FILE
from rehearsal.node.settings.node_settings import TUMOURS, NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.phenotypes.consent import ConsentShares, Record
from rehearsal.stores.ontology import HumanPhenotypeOntology
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.tumour_store_writer import build_tumours

from ..conftest import COLUMNS, CONTIGS, GENES, samples

Allele = tuple[str, int, str, str]  # contig, 0-based start, ref, alt

PEOPLE, PEOPLE_ELSEWHERE = 40, 80
YEAR = 2025
WHO = 7  # the person in whom neighbouring nodes differ
BREAST, HEART = ("ICD10:C50", "Breast cancer"), ("ICD10:I25.1", "Heart disease")
RARE = ("ICD10:G35", "Multiple sclerosis")  # here only one person may have it
UNHEARD = ("ICD10:E84", "Cystic fibrosis")  # nobody elsewhere has it
DISEASES = {BREAST: "MONDO:0007254", HEART: "MONDO:0005010", RARE: "MONDO:0005301"}
DISEASES[UNHEARD] = "MONDO:0009061"
SEIZURE, MICROCEPHALY = ("HP:0001250", "Seizure"), ("HP:0000252", "Microcephaly")
ANYTHING, ANCESTRY = "DUO:0000004", "DUO:0000011"
CONSENTS = (
    *(ANYTHING, "DUO:0000042, DUO:0000043", "DUO:0000042, DUO:0000043"),
    *("DUO:0000006, DUO:0000043", "DUO:0000042, DUO:0000045", "DUO:0000007 MONDO:0007254"),
)
SHARES = ConsentShares(
    tuple(Record("", 1 / len(CONSENTS), "consent", tuple(uses.split(", "))) for uses in CONSENTS),
    withdrawn=0.05,
)


def _alleles() -> dict[Allele, float]:
    """Alleles with their frequency of carriers."""
    chance = random.Random(14)
    bases = "ACGT"
    found: dict[Allele, float] = {}
    for contig, first, number, step in (
        ("chr17", 43_044_300, 20, 3_000),
        ("chr22", 21_000_000, 60, 150),
        ("chrX", 12_867_100, 12, 1_500),
    ):
        for i in range(number):
            ref, alt = chance.sample(bases, 2)
            share = chance.choice((0.03, 0.1, 0.3, 0.5, 0.7, 0.95, 1.0))
            found[contig, first + i * step, ref, alt] = share
    found["chr17", 43_057_061, "T", "TG"] = 0.4
    found["chr17", 43_124_026, "ACT", "A"] = 0.3
    found["chr22", 21_000_010, "G", "GG"] = 0.5
    found["chrX", 12_886_151, "A", "G"] = 0.6
    found["chr22", 21_000_037, "C", "<DEL>"] = 0.4
    found["chr22", 21_002_037, "G", "<DUP:TANDEM>"] = 0.1
    found["chr17", 43_050_037, "T", "<CN0>"] = 0.3
    return found


MATCHMAKER_KEY = b"a key of a matchmaker"
SIZE = 2_500  # bases of each structural variant
ALLELES = _alleles()
PRIVATE: tuple[Allele, ...] = (
    ("chr17", 43_044_301, "A", "T"),
    ("chr17", 43_093_448, "G", "A"),  # a base of BRCA1 as it is
    *(("chr22", 21_000_075 + 300 * i, "A", "C") for i in range(25)),
    ("chr22", 21_000_049, "T", "<INV>"),
)
SOMATIC: tuple[Allele, ...] = (
    ("chr17", 43_044_310, "C", "T"),
    ("chr22", 21_004_000, "G", "A"),
)


@dataclass
class Country:
    """The people of a node, as plain data, with lists by number of the person."""

    names: list[str]
    copies: dict[Allele, dict[str, int]]
    diseases: list[tuple[str, tuple[str, str]]]
    features: list[tuple[str, tuple[str, str]]]
    uses: dict[str, str]
    withdrawn: set[str]
    without_sample: set[str]
    tumours: dict[str, tuple[Allele, ...]]

    def sex(self, name: str) -> str:
        return "female" if int(name[3:]) % 2 else "male"


def country(code: str, people: int) -> Country:
    """Draw the people of a country."""
    chance = random.Random(code)
    names = [f"{code}-{number:06d}" for number in range(1, people + 1)]
    copies = {
        allele: {name: chance.choice((1, 1, 2)) for name in names if chance.random() < share}
        for allele, share in ALLELES.items()
    }
    diseases = [
        (name, disease)
        for disease, share in ((HEART, 0.5), (BREAST, 0.1))
        for name in names
        if chance.random() < share
    ]
    if code != "FI":
        diseases += [(name, RARE) for name in names[::9]]
    features = [(name, SEIZURE) for name in names if chance.random() < 0.2]
    uses = {name: chance.choice(CONSENTS) for name in names if chance.random() < 0.95}
    if code != "FI":  # public facts come from people who permit any use
        uses = dict.fromkeys(uses, ANYTHING)
    withdrawn = {name for name in uses if chance.random() < 0.05}
    for name in (names[0], names[WHO]):  # so that they are in answers for any purpose
        uses[name] = ANYTHING
        withdrawn.discard(name)
    tumours = {names[3]: SOMATIC} if code != "FI" else {}
    return Country(names, copies, diseases, features, uses, withdrawn, set(), tumours)


def _absent(one: Country, number: int) -> None:
    name = one.names.pop(number)
    for carriers in one.copies.values():
        carriers.pop(name, None)
    one.diseases = [row for row in one.diseases if row[0] != name]
    one.features = [row for row in one.features if row[0] != name]
    one.uses.pop(name, None)
    one.withdrawn.discard(name)


def _other_genome(one: Country) -> None:
    chance, name = random.Random(1), one.names[WHO]
    for carriers in one.copies.values():
        if chance.random() < 0.7 and carriers.pop(name, None) is None:
            carriers[name] = chance.choice((1, 2))


def _other_diagnoses(one: Country) -> None:
    name = one.names[WHO]
    one.diseases = [row for row in one.diseases if row[0] != name]
    one.diseases += [(name, RARE), (name, UNHEARD), (name, BREAST)]
    one.features.append((name, MICROCEPHALY))


def _private_variants(one: Country) -> None:
    one.copies |= {allele: {one.names[WHO]: 1} for allele in PRIVATE}


def another_person(one: Country) -> None:
    """Change everything about one person."""
    name = one.names[WHO]
    for change in (_other_genome, _other_diagnoses, _private_variants):
        change(one)
    one.tumours[name], one.uses[name] = SOMATIC, ANCESTRY
    one.without_sample.add(name)


Change = Callable[[Country], object]

NEIGHBOURS: dict[str, Change] = {
    "somebody absent": lambda one: _absent(one, WHO),
    "the first person absent": lambda one: _absent(one, 0),
    "somebody who withdrew": lambda one: one.withdrawn.add(one.names[WHO]),
    "another genome": _other_genome,
    "other diagnoses": _other_diagnoses,
    "variants private to the country": _private_variants,
    "a tumour": lambda one: one.tumours.update({one.names[WHO]: SOMATIC}),
    "another consent": lambda one: one.uses.update({one.names[WHO]: ANCESTRY}),
    "no sample": lambda one: one.without_sample.add(one.names[WHO]),
}


def write_neighbours(
    folder: Path,
    issuers: Iterable[IssuerSettings],
    protection: Protection,
    changes: Mapping[str, Change] = NEIGHBOURS,
) -> dict[str, Path]:
    """Write a node and its neighbours.

    Args:
        folder: Where to write.
        issuers: Whom the nodes trust.
        protection: Of both protected tiers.
        changes: What makes each neighbour, by its name.

    Returns:
        The folders, that of the node itself first.
    """
    digest = sha256(MATCHMAKER_KEY).hexdigest()
    matchmaker = MatchmakerKey("mme.example", "DUO:0000043", digest)
    access = AccessSettings(
        issuers=tuple(issuers),
        protection={"public": protection, "registered": protection},
        matchmakers=(matchmaker,),
    )
    ontology = HumanPhenotypeOntology()
    base = country("FI", PEOPLE)
    _write_stores(folder / "base", base, ontology)
    _write_stores(folder / "elsewhere", country("SE", PEOPLE_ELSEWHERE), ontology)
    write_public_facts({"FI": folder / "base", "SE": folder / "elsewhere"}, SHARES)
    facts = folder / "base" / PUBLIC_FACTS_FILE
    found = {"base": folder / "base"}
    for name, change in changes.items():
        other = deepcopy(base)
        change(other)
        found[name] = folder / name.replace(" ", "-")
        _write_stores(found[name], other, ontology)
        copyfile(facts, found[name] / PUBLIC_FACTS_FILE)
    for one in found.values():
        _write_rest(one, access)
    return found


def _write_stores(folder: Path, one: Country, ontology: HumanPhenotypeOntology) -> None:
    folder.mkdir(parents=True)
    people = pd.DataFrame({"id": one.names, "sex": [one.sex(name) for name in one.names]})
    people = people.assign(birth_year=1960, family=None, father=None, mother=None)
    build_from_vcf([_vcf(folder / "all.vcf", one)], people, folder / "variants.sqlite")
    tables = _tables(one)
    build_people(people, tables, folder / "people.sqlite", YEAR, ontology)
    candidates = pd.DataFrame({"individual": one.names[:2], "gene": "BRCA1"})
    matched = {"features": tables["features"], "candidate_genes": candidates}
    build_matchmaker_index(people["id"], matched, folder / MATCHMAKER, ontology)
    rows = [(name, *allele) for name, alleles in one.tumours.items() for allele in alleles]
    columns = ["individual", "contig", "start", "ref", "alt"]
    build_tumours(pd.DataFrame(rows, columns=columns), people, folder / TUMOURS)


def _vcf(path: Path, one: Country) -> Path:
    lines = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines.append('##INFO=<ID=END,Number=1,Type=Integer,Description="">')
    lines += [f"##contig=<ID={name},length={length}>" for name, length in CONTIGS.items()]
    lines.append("\t".join([*COLUMNS, *one.names]))
    order = list(CONTIGS)
    for allele in sorted(one.copies, key=lambda it: (order.index(it[0]), *it[1:])):
        contig, start, ref, alt = allele
        calls = [_call(one, allele, name) for name in one.names]
        info = f"END={start + 1 + SIZE}" if alt.startswith("<") else "."
        lines.append("\t".join([contig, str(start + 1), ".", ref, alt, *"..", info, "GT", *calls]))
    path.write_text("\n".join(lines) + "\n")
    return path


def _call(one: Country, allele: Allele, name: str) -> str:
    copies = one.copies[allele].get(name, 0)
    if allele[0] == "chrX" and one.sex(name) == "male":
        return str(min(copies, 1))
    return ("0/0", "0/1", "1/1")[copies]


def _tables(one: Country) -> dict[str, pd.DataFrame]:
    diseases = [(name, *code, DISEASES[code], 50.0) for name, code in one.diseases]
    features = [(name, *code, 1.0) for name, code in one.features]
    measured = [
        (name, "LOINC:22748-8", "LDL", 2.0 + int(name[3:]) / 8, "mmol/L", 30.0)
        for name in one.names
    ]
    consent = [(name, "consent", uses, name in one.withdrawn) for name, uses in one.uses.items()]
    named = ["individual", "code", "label"]
    return {
        "diseases": pd.DataFrame(diseases, columns=[*named, "mondo", "age_of_onset"]),
        "features": pd.DataFrame(features, columns=[*named, "age_of_onset"]),
        "measurements": pd.DataFrame(measured, columns=[*named, "value", "unit", "age"]),
        "consent": pd.DataFrame(consent, columns=["individual", "basis", "uses", "withdrawn"]),
        **samples([name for name in one.names if name not in one.without_sample]),
    }


def _write_rest(folder: Path, access: AccessSettings) -> None:
    """Write what is not a store: settings, catalogue, table of drugs, secret key."""
    build = sha256((folder / "variants.sqlite").read_bytes()).hexdigest()
    settings = NodeSettings.for_country(
        "FI", "Finland", GENES, build, YEAR, access, has_tumours=True
    )
    settings.write(folder)
    facts = PublicFacts.open(folder / PUBLIC_FACTS_FILE)
    terms = uniform_terms("GDPR 6(1)a, 9(2)a", "DUO:0000042")
    write_node_catalogue(folder, describe_node_datasets(settings, facts, terms), "0.1")
    facts.close()
    drug = ("ATC:C10AA01", "simvastatin", "BRCA1", "x", "chr17", "43044301", "A", "G", "1", "", "")
    (folder / "drug_genes.tsv").write_text("\t".join(DRUG_COLUMNS) + "\n" + "\t".join(drug) + "\n")
    key = folder / KEY_FILE
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)


def protected_as(protection: Protection, folders: Iterable[Path]) -> None:
    """Change the protection of both protected tiers in the settings of nodes."""
    for folder in folders:
        settings = NodeSettings.read(folder)
        both = {"public": protection, "registered": protection}
        replace(settings, access=replace(settings.access, protection=both)).write(folder)
