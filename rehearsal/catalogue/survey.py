"""Answers to the survey on accessible genomes: how many subjects, for each answer of its form.

The form asks of every dataset whether its subjects have one of the listed legal bases, whether they
may be used for future research, and in the health care of other patients. The form's own answers
are kept. A subject gives one answer to each question, so that the numbers of a question add up to
all subjects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import pandas as pd

YES, NO, UNKNOWN = "yes", "no", "don't know"
RECONSENT = "no, but re-consenting is possible"
QUESTIONS = {
    "legal_basis": (YES, RECONSENT, NO, UNKNOWN),
    "usable_for_future_research": (YES, NO, UNKNOWN),
    "usable_in_healthcare_of_others": (YES, NO, UNKNOWN),
}
HEALTHCARE = {"DUO:0000004", "DUO:0000043"}
RESEARCH = {"DUO:0000004", "DUO:0000006", "DUO:0000042"}
ARTICLE = re.compile(r"[69]\(\d\)[a-j]")
CONSENT_ARTICLES = {"6(1)a", "9(2)a"}
PUBLIC_TASK = "6(1)e"
CONDITIONS_OF_PUBLIC_TASKS = {"9(2)g", "9(2)h", "9(2)i", "9(2)j"}
TERM = re.compile(r"DUO:\d{7}")

Numbers = dict[str, dict[str, int]]  # subjects by question and answer
Shares = dict[str, dict[str, float]]  # the same as shares of all subjects


def answer_for(basis: str, uses: Collection[str], withdrawn: bool) -> dict[str, str]:
    """Answer the questions for one subject.

    Args:
        basis: The legal basis, as consent records name it.
        uses: The DUO terms that the subject permits, without what they are limited to.
        withdrawn: Whether the consent was withdrawn.

    Returns:
        The answer to each question of ``QUESTIONS``.
    """
    if withdrawn:
        return dict.fromkeys(QUESTIONS, NO)
    permitted = set(uses)

    def usable(by: set[str]) -> str:
        return UNKNOWN if not permitted else YES if permitted & by else NO

    return {
        "legal_basis": answer_for_basis(basis),
        "usable_for_future_research": usable(RESEARCH),
        "usable_in_healthcare_of_others": usable(HEALTHCARE),
    }


def answer_for_basis(basis: str) -> str:
    """Say whether a basis is one of those that the form lists.

    These are consent (Art. 6(1)a with 9(2)a of the GDPR) and public interest (Art. 6(1)e with
    9(2)g, h, i or j). If articles are named but no complete pair, the person can be asked again.

    Args:
        basis: The basis, as consent records name it.

    Returns:
        One of the four answers.
    """
    articles = set(ARTICLE.findall(basis))
    if articles >= CONSENT_ARTICLES:
        return YES
    if PUBLIC_TASK in articles and articles & CONDITIONS_OF_PUBLIC_TASKS:
        return YES
    if articles:
        return RECONSENT
    return NO if basis.startswith("none") else UNKNOWN


def count_answers(consent: pd.DataFrame) -> Numbers:
    """Count the subjects of each answer.

    Args:
        consent: Records with the columns of ``phenotypes/consent.parquet``, one per subject.

    Returns:
        The number of subjects by question and answer; every answer of the form is there.
    """
    numbers = {question: dict.fromkeys(answers, 0) for question, answers in QUESTIONS.items()}
    groups = consent.groupby(["basis", "uses", "withdrawn"], dropna=False).size()
    for (basis, uses, withdrawn), people in groups.items():
        terms = TERM.findall(_text(uses))
        for question, answer in answer_for(_text(basis), terms, bool(withdrawn)).items():
            numbers[question][answer] += int(people)
    return numbers


def count_by_country(consent: pd.DataFrame, people: pd.DataFrame) -> dict[str, Numbers]:
    """Count the subjects of each answer in each country.

    Args:
        consent: ``phenotypes/consent.parquet``, one row per person.
        people: ``people.parquet``, with ``id`` and ``country``.

    Returns:
        Numbers by code of the country.
    """
    country = consent["individual"].map(people.set_index("id")["country"])
    return {str(code): count_answers(own) for code, own in consent.groupby(country)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def share_answers(weighted: Iterable[tuple[float, Mapping[str, str]]]) -> Shares:
    """Add up the answers of groups of subjects.

    Args:
        weighted: The share of all subjects that a group has, and its answers.

    Returns:
        The share of the subjects by question and answer.
    """
    shares = {question: dict.fromkeys(answers, 0.0) for question, answers in QUESTIONS.items()}
    for share, answers in weighted:
        for question, answer in answers.items():
            shares[question][answer] += share
    return shares


def apportion(shares: Mapping[str, float], people: int, unit: int) -> dict[str, int]:
    """Divide a number of people by shares, in whole units (method of the largest remainder).

    Args:
        shares: Shares that add up to 1.
        people: The number of people, a multiple of the unit.
        unit: People per unit.

    Returns:
        Numbers of people, multiples of the unit, that add up to ``people``.
    """
    total = people // unit
    exact = {answer: share * total for answer, share in shares.items()}
    whole = {answer: int(value + 1e-9) for answer, value in exact.items()}
    by_remainder = sorted(exact, key=lambda answer: whole[answer] - exact[answer])
    for answer in by_remainder[: total - sum(whole.values())]:
        whole[answer] += 1
    return {answer: units * unit for answer, units in whole.items()}
