"""Questions for similar patients, asked through GA4GH Matchmaker Exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.report.page_elements import Column, Linked, Table, Text, whole
from rehearsal.report.questions.words import (
    NONE,
    counted,
    country_table,
    listed,
    states_words,
    variant_words,
)
from rehearsal.report.tables import country_href

TOKEN_SHOWN = 8  # characters of a contact token


def describe_request(question: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say what a match request held.

    Args:
        question: The question, with its ``request``.
        names: Names of the countries by code.
    """
    start = (
        "Every node was asked which of its patients are similar. The request follows GA4GH "
        "Matchmaker Exchange."
    )
    patient = ((question["request"] or {}).get("body") or {}).get("patient")
    if patient is None:
        return start
    return f"{start} It described the patient by {_features(patient)}, and by {_genes(patient)}."


def _features(patient: Mapping[str, Any]) -> str:
    """List the features that the patient has and those that the patient lacks."""
    features = patient["features"]
    absent = [_lower(one["label"]) for one in features if one.get("observed") == "no"]
    present = [_lower(one["label"]) for one in features if one.get("observed") != "no"]
    return listed(present) + (f", without {listed(absent)}" if absent else "")


def _genes(patient: Mapping[str, Any]) -> str:
    """Count the candidate genes, and say whether one has a known variant."""
    found = patient["genomicFeatures"]
    genes = counted(len(found), "candidate gene", "candidate genes")
    return genes + (
        ", one of them with a known variant" if any("variant" in x for x in found) else ""
    )


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]


def answer_parts(question: Mapping[str, Any], names: Mapping[str, str]) -> list[Any]:
    """Show the best matches and how many each country has.

    Args:
        question: The question, with ``joined`` and ``countries``.
        names: Names of the countries by code.

    Returns:
        Page elements.
    """
    joined = question["joined"]
    matches = joined.get("matches", ())
    nodes = states_words(question["countries"])
    if not joined.get("count"):
        return [Text(f"There are no matching patients. {nodes}"), _by_country(question, names)]
    first = matches[0]
    text = (
        f"{counted(joined['count'], 'patient matches', 'patients match')}. The best match is in "
        f"{names.get(first['country'], first['country'])}, with a score of {first['score']:.2f} "
        f"out of 1.{_carried(first)} {nodes} A score of 1 means that the two patients have the "
        "same features. A score of 0 means that they have none in common. Rare features count "
        "more than common ones. A node returns patients who share a candidate gene or a known "
        "variant."
    )
    return [Text(text), _best(matches, names), _by_country(question, names)]


def _carried(first: Mapping[str, Any]) -> str:
    if not first["variants"]:
        return ""
    return f" This patient also has the variant of the request: {_variant(*first['variants'][0])}."


def _best(matches: list[Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    columns = [
        Column("Match", names_row=True),
        Column("Country"),
        Column("Score", number=True),
        Column("Features in common", long=True),
        Column("Genes in common"),
        Column("Variants in common"),
        Column("Contact token"),
    ]
    rows = [
        (
            str(number),
            Linked(names.get(one["country"], one["country"]), country_href(one["country"], "../")),
            f"{one['score']:.3f}",
            ", ".join(_label(text) for text in one["features"]) or NONE,
            ", ".join(one["genes"]) or NONE,
            ", ".join(_variant(*pair) for pair in one["variants"]) or NONE,
            f"{one['contact'][:TOKEN_SHOWN]}…",
        )
        for number, one in enumerate(matches, start=1)
    ]
    caption = (
        "The best matches of all countries. The contact token stands for a patient whose identity "
        "stays in the country. The asker uses it to get in touch with the other clinic. Only the "
        "start of each token is shown."
    )
    return Table(caption, columns, rows)


def _label(text: str) -> str:
    """Drop the code before a feature's label."""
    code, _, label = text.partition(" ")
    return label or code


def _variant(name: str, copies: int | str | None) -> str:
    number = f" ({counted(copies, 'copy', 'copies')})" if isinstance(copies, int) else ""
    return variant_words(name) + number


def _by_country(question: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    def score(answer: Mapping[str, Any]) -> str:
        best = answer.get("best")
        return f"{best[0]['score']:.3f}" if best else NONE

    columns = [
        (Column("Matching patients", number=True), lambda answer: whole(answer.get("matches", 0))),
        (Column("Best score", number=True), score),
    ]
    return country_table("What each country's node returned.", question, names, columns)
