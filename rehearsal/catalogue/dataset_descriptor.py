"""Descriptors of datasets, independent of the format they are written in."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from rehearsal.catalogue.survey import (
    CONSENT_ARTICLES,
    TERM,
    Numbers,
    Shares,
    answer_for,
    apportion,
    count_answers,
    share_answers,
)
from rehearsal.errors import mismatch
from rehearsal.phenotypes.consent import ConsentShares

ROUNDED_TO = 10  # people
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


@dataclass(frozen=True, slots=True)
class Distribution:
    """A way to access a dataset."""

    name: str  # letters, digits and hyphens: part of its IRI
    title: str
    path: str  # relative to the root of the service or of the folder
    media_type: str  # of IANA, or the nearest one


class UseTerms(NamedTuple):
    """What the people of a dataset permit."""

    legal_bases: tuple[str, ...]
    uses: tuple[tuple[str, float], ...]  # DUO term, share of the people who have not withdrawn;
    # most frequent first
    answers: Shares  # to the survey, as shares of all people


@dataclass(frozen=True, slots=True)
class Survey:
    """A dataset's answers to the initiative's survey on accessible genomes.

    The questions are those that the initiative asked its members, from the project's reference
    material. The last three are answered by numbers of subjects, which add up to the dataset's
    published people.
    """

    purpose_of_collection: str
    data_type: str
    phenotypes: tuple[str, ...]
    storage: str
    identification_of_subjects: str
    structure: str
    legal_basis: dict[str, int]
    usable_for_future_research: dict[str, int]
    usable_in_healthcare_of_others: dict[str, int]


@dataclass(frozen=True, slots=True)
class DatasetDescriptor:
    """A dataset of one country, or of all countries."""

    identifier: str  # ^(GOE|GDI)-[A-Z]{2}-[A-Z]+-[0-9]+$
    title: str
    description: str
    country_code: str
    country_name: str
    individuals: int  # rounded, because everyone may see it
    records: int | None  # rounded people; None: the number of alleles, which is not public
    year: int  # reference year of the synthetic data; metadata are dated to its first day
    survey: Survey
    gdpr_bases: tuple[str, ...]  # all that occur
    uses: tuple[tuple[str, float], ...]  # DUO term, share of the people who have not withdrawn
    distributions: tuple[Distribution, ...] = ()
    keywords: tuple[str, ...] = field(default=("synthetic data", "genomics", "rehearsal"))

    @property
    def legal_bases(self) -> tuple[str, ...]:
        """Legal bases in the Data Privacy Vocabulary: consent, public interest, or both."""
        consent = any(is_consent(basis) for basis in self.gdpr_bases)
        other = any(not is_consent(basis) for basis in self.gdpr_bases)
        return ("Consent",) * consent + ("PublicInterest",) * other


def round_people(people: int) -> int:
    """Round a number of people to tens, as nodes publish it.

    Args:
        people: The number of people.

    Returns:
        The nearest multiple of ten.
    """
    return round(people / ROUNDED_TO) * ROUNDED_TO


def is_consent(basis: str) -> bool:
    """Tell whether a legal basis is consent: Art. 6(1)a or 9(2)a of the GDPR.

    Args:
        basis: The basis, as consent records name it.
    """
    return any(article in basis for article in CONSENT_ARTICLES)


def summarise_consent(consent: pd.DataFrame) -> UseTerms:
    """Summarise consent records, without the people who have withdrawn.

    Shares are rounded to whole percents, because they describe a dataset and not its people.

    Args:
        consent: Records with the columns of ``phenotypes/consent.parquet``.

    Returns:
        The legal bases, and the share of the people who permit each use.

    Raises:
        ValueError: No record is left.
    """
    there = consent[~consent["withdrawn"].astype(bool)]
    if there.empty:
        raise ValueError(mismatch("consent", "at least one record that is not withdrawn", "none"))
    counts: Counter[str] = Counter()
    for uses in there["uses"]:
        counts.update(set(TERM.findall(uses)))
    shares = tuple(
        (term, round(number / len(there), 2))
        for term, number in sorted(counts.items(), key=_by_share)
    )
    answers = count_answers(consent)
    return UseTerms(tuple(sorted(set(there["basis"]))), shares, _as_shares(answers, len(consent)))


def _as_shares(numbers: Numbers, people: int) -> Shares:
    return {
        question: {answer: number / people for answer, number in answers.items()}
        for question, answers in numbers.items()
    }


def uniform_terms(basis: str, *uses: str, withdrawn: bool = False) -> UseTerms:
    """Give the terms of a dataset whose people all have the same consent record.

    Args:
        basis: The legal basis.
        uses: The DUO terms that everybody permits.
        withdrawn: Whether everybody withdrew.

    Returns:
        The terms.
    """
    answers = share_answers([(1.0, answer_for(basis, uses, withdrawn))])
    return UseTerms((basis,), tuple((use, 1.0) for use in uses), answers)


def summarise_forms(consent: ConsentShares) -> UseTerms:
    """Summarise the forms of consent that people are given, as nodes publish them.

    Args:
        consent: The forms, and the share of all people who are given each.

    Returns:
        The legal bases, and the expected share of the people who permit each use.
    """
    shares: dict[str, float] = defaultdict(float)
    for form in consent.records:
        for use in {use.partition(" ")[0] for use in form.uses}:
            shares[use] += form.share
    uses = sorted(((use, round(share, 2)) for use, share in shares.items()), key=_by_share)
    bases = tuple(sorted({form.basis for form in consent.records}))
    return UseTerms(bases, tuple(uses), _expected_answers(consent))


def _expected_answers(consent: ConsentShares) -> Shares:
    """Say what share of all people is expected to give each answer."""
    return share_answers(
        (
            form.share * (consent.withdrawn if withdrawn else 1 - consent.withdrawn),
            answer_for(form.basis, TERM.findall(" ".join(form.uses)), withdrawn),
        )
        for form in consent.records
        for withdrawn in (False, True)
    )


def _by_share(use: tuple[str, float]) -> tuple[float, str]:
    return -use[1], use[0]


def answer_survey(terms: UseTerms, people: int) -> Survey:
    """Answer the survey for data of a rehearsal.

    Args:
        terms: What the people of the dataset permit.
        people: The published number of people. If it is in tens, the answers are too.

    Returns:
        The answers.
    """
    unit = 1 if people % ROUNDED_TO else ROUNDED_TO
    numbers = {
        question: apportion(shares, people, unit) for question, shares in terms.answers.items()
    }
    return Survey(
        purpose_of_collection="other: a simulation, for rehearsals",
        data_type="WGS, simulated regions only",
        phenotypes=("clinical", "treatment", "treatment response", "lifestyle"),
        storage="federated",
        identification_of_subjects="pseudonym without a person behind it",
        structure="structured",
        **numbers,
    )


def descriptor_to_json(descriptor: DatasetDescriptor) -> dict[str, Any]:
    """Convert a descriptor to plain data, with the names of DUO terms.

    Args:
        descriptor: The descriptor.

    Returns:
        Data that JSON can express.
    """
    plain = asdict(descriptor)
    plain["uses"] = [
        {"term": term, "label": USE_NAMES.get(term, ""), "share": share}
        for term, share in descriptor.uses
    ]
    return {"synthetic": True, **plain}
