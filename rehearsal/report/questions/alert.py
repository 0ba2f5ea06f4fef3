"""Standing queries: the asker gets an alert when a patient with a given profile arrives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.report.page_elements import Column, Linked, Table, Text, whole
from rehearsal.report.questions.words import (
    NONE,
    counted,
    country_table,
    listed,
    states_words,
    term_name,
)
from rehearsal.report.tables import country_href


def describe_request(question: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say which profile the asker subscribed to.

    Args:
        question: The question, with its ``request``.
        names: Names of the countries by code.
    """
    start = "The asker subscribed at every node to alerts about new patients."
    profile = ((question["request"] or {}).get("body") or {}).get("profile")
    if profile is None:
        return start
    return f"{start} The profile of such a patient: {listed(_profile(profile))}."


def _profile(profile: Mapping[str, Any]) -> Iterator[str]:
    if profile.get("sex"):
        yield str(profile["sex"])
    if profile.get("age"):
        yield f"{profile['age']['from']} to {profile['age']['to']} years old"
    yield from map(term_name, profile["terms"])
    if profile.get("gene"):
        yield (
            f"a variant in the gene {profile['gene']} with an allele frequency of at most "
            f"{100 * profile['maximumFrequency']:g}%"
        )


def answer_parts(question: Mapping[str, Any], names: Mapping[str, str]) -> list[Any]:
    """Show who arrived, which of them caused an alert, and each node's alerts.

    Args:
        question: The question, with ``joined``, ``details`` and ``countries``.
        names: Names of the countries by code.

    Returns:
        Page elements.
    """
    details = question["details"]
    seconds, arrivals = details.get("seconds", {}), details.get("arrivals", [])
    columns = [
        (Column("Alerts", number=True), lambda answer: whole(answer.get("alerts", 0))),
    ]
    return [
        Text(" ".join(_result(question, names))),
        _arrivals(arrivals, seconds, names),
        country_table(
            "The subscription at each country's node, and the alerts that the node sent.",
            question,
            names,
            columns,
        ),
    ]


def _result(question: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    details = question["details"]
    arrivals, seconds = details.get("arrivals", []), details.get("seconds", {})
    yield f"{counted(len(arrivals), 'patient', 'patients')} arrived after the subscription."
    yield f"{counted(len(seconds), 'alert was', 'alerts were')} sent."
    if len(seconds) == 1:
        yield f"It came {max(seconds.values()):.1f} s after the patient arrived."
    elif seconds:
        yield f"The last one came {max(seconds.values()):.1f} s after the patients arrived."
    yield "An alert holds only the node, the time and a token that stands for the patient."
    if details.get("restarted"):
        place = names.get(details["restarted"], details["restarted"])
        yield f"The node of {place} was restarted in between. Its subscriptions must survive that."
    yield f"When the asker subscribed, {states_words(question['countries'])}"


def _arrivals(
    arrivals: list[Mapping[str, Any]], seconds: Mapping[str, float], names: Mapping[str, str]
) -> Table:
    columns = [
        Column("New patient", names_row=True, long=True),
        Column("Country"),
        Column("Sex"),
        Column("Age, years", number=True),
        Column("Features"),
        Column("Alert"),
        Column("Alert after, s", number=True),
    ]
    rows = [
        (
            str(one["name"] or one["handle"]),
            Linked(names.get(one["country"], one["country"]), country_href(one["country"], "../")),
            one["sex"],
            str(one["age"]),
            ", ".join(map(term_name, one["terms"])) or NONE,
            "yes" if one["handle"] in seconds else "no",
            f"{seconds[one['handle']]:.2f}" if one["handle"] in seconds else NONE,
        )
        for one in arrivals
    ]
    return Table("The patients who arrived, and whether an alert was sent.", columns, rows)
