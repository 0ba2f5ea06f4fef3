"""Descriptors of datasets: what is said about one, before it is written in any format."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import pandas as pd

ROUNDED_TO = 10  # people
CONSENT_ARTICLES = ("6(1)a", "9(2)a")
USE_NAMES = {  # Data Use Ontology (r)
    "DUO:0000004": "no restriction",
    "DUO:0000006": "health or medical or biomedical research",
    "DUO:0000007": "disease specific research",
    "DUO:0000011": "population origins or ancestry research only",
    "DUO:0000042": "general research use",
    "DUO:0000043": "clinical care use",
    "DUO:0000045": "not for profit organisation use only",
    "DUO:0000046": "non-commercial use only",
}
HEALTHCARE = {"DUO:0000004", "DUO:0000043"}
RESEARCH = {"DUO:0000004", "DUO:0000006", "DUO:0000042"}


@dataclass(frozen=True, slots=True)
class Distribution:
    """One way to get a dataset. ``path``: relative to the root of the service or of the folder."""

    name: str  # of letters, digits and hyphens: part of its IRI
    title: str
    path: str
    media_type: str  # IANA, or the nearest that there is


class UseTerms(NamedTuple):
    """What a dataset's people permit: legal bases, and by DUO term the share of the people who are
    not withdrawn, most frequent first."""

    legal_bases: tuple[str, ...]
    uses: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """The initiative's survey on accessible genomes, one dataset's answers.

    The questions are those that the initiative asked its members (facts retrieved with the
    project's reference material); answers of yes, no and don't know as there.
    """

    purpose_of_collection: str
    data_type: str
    phenotypes: tuple[str, ...]
    storage: str
    identification_of_subjects: str
    structure: str
    gdpr_basis: tuple[str, ...]
    usable_for_future_research: str
    usable_in_healthcare_of_others: str


@dataclass(frozen=True, slots=True)
class DatasetDescriptor:
    """One dataset of one country, or of all.

    ``individuals``: as may be told to everybody, so rounded by who makes it. ``uses``: how many
    consent records permit each use, by DUO term, most frequent first, told as shares.
    """

    identifier: str  # ^(GOE|GDI)-[A-Z]{2}-[A-Z]+-[0-9]+$
    title: str
    description: str
    country_code: str
    country_name: str
    individuals: int
    records: int
    year: int  # in which the synthetic data are told; metadata are dated to its first day
    survey: Survey
    uses: tuple[tuple[str, float], ...]  # term, share of the people who are not withdrawn
    distributions: tuple[Distribution, ...] = ()
    keywords: tuple[str, ...] = field(default=("synthetic data", "genomics", "rehearsal"))

    @property
    def legal_bases(self) -> tuple[str, ...]:
        """Of the Data Privacy Vocabulary: consent, public interest, or both."""
        consent = any(is_consent(basis) for basis in self.survey.gdpr_basis)
        other = any(not is_consent(basis) for basis in self.survey.gdpr_basis)
        return ("Consent",) * consent + ("PublicInterest",) * other


def round_people(people: int) -> int:
    """How many people a dataset is said to have: in tens, as nodes tell it to the public."""
    return round(people / ROUNDED_TO) * ROUNDED_TO


def is_consent(basis: str) -> bool:
    """Whether a basis rests on consent: Art. 6(1)a with 9(2)a of the GDPR."""
    return any(article in basis for article in CONSENT_ARTICLES)


def summarise_consent(consent: pd.DataFrame) -> UseTerms:
    """Legal bases, and the share of people by permitted use, of a consent table.

    Columns as in ``phenotypes/consent.parquet``; who withdrew is left out. Shares are rounded to
    whole percents: they describe a dataset, not its people. Raises ValueError for an empty table.
    """
    there = consent[~consent["withdrawn"].astype(bool)]
    if there.empty:
        raise ValueError("nobody's consent is on record")
    counts: Counter[str] = Counter()
    for uses in there["uses"]:
        counts.update(set(re.findall(r"DUO:\d{7}", uses)))
    shares = tuple(
        (term, round(number / len(there), 2))
        for term, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    return UseTerms(tuple(sorted(set(there["basis"]))), shares)


def answer_survey(terms: UseTerms) -> Survey:
    """The answers that a rehearsal's own data give."""
    permitted = {term for term, _ in terms.uses}
    return Survey(
        purpose_of_collection="other: a simulation, for rehearsals",
        data_type="WGS, simulated regions only",
        phenotypes=("clinical", "treatment", "treatment response", "lifestyle"),
        storage="federated",
        identification_of_subjects="pseudonym without a person behind it",
        structure="structured",
        gdpr_basis=terms.legal_bases,
        usable_for_future_research="yes" if permitted & RESEARCH else "no",
        usable_in_healthcare_of_others="yes" if permitted & HEALTHCARE else "no",
    )


def descriptor_to_json(descriptor: DatasetDescriptor) -> dict[str, Any]:
    """The descriptor as plain JSON, with the names of DUO terms."""
    plain = asdict(descriptor)
    plain["uses"] = [
        {"term": term, "label": USE_NAMES.get(term, ""), "share": share}
        for term, share in descriptor.uses
    ]
    return {"synthetic": True, **plain}
