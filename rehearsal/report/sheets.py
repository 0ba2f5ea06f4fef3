"""One A4 sheet for each country, in its official languages, from ``summary.json`` alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.policy.labels import DRAFT, ENGLISH, is_part, is_stand_in, languages_of
from rehearsal.policy.node_checks import FAILED, HELD, NOT_MEASURED, PARTLY
from rehearsal.report.page_elements import rounded

STATUSES = {HELD: "held", PARTLY: "partly", FAILED: "failed", NOT_MEASURED: "not_tried"}
ANSWERS = {
    "yes": "yes",
    "no, but re-consenting is possible": "reconsent",
    "no": "no",
    "don't know": "unknown",
}
WITH_POINT = (ENGLISH, "ga", "mt")  # languages that write 1,234.5
NARROW_SPACE = "\u202f"
STAND_IN = "In English, because there are no labels in an official language of this country yet"
PART = "Translation in part: labels that are missing are in English"


def sheet_pages(
    summary: Mapping[str, Any], code: str, labels: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, Any]]:
    """Build a country's sheet once in each of its languages.

    Args:
        summary: The content of ``summary.json``.
        code: The code of the country.
        labels: Labels by language and key.

    Yields:
        What the template ``sheet.html`` shows.
    """
    for language in languages_of(code, labels):
        words = {**labels[ENGLISH], **labels[language]}
        yield {
            "language": language,
            "label": words,
            "name": words.get(f"country_{code}", summary["sheets"][code]["name"]),
            "draft": _remark(code, language, labels),
            "date": summary["maturity"]["date"][:10],
            "run": summary["run"],
            **_facts(summary, code, language, words),
        }


def _remark(code: str, language: str, labels: Mapping[str, Mapping[str, str]]) -> str:
    """Say what a reader must know of the labels; nothing if they are whole and were read."""
    if is_stand_in(code, labels):
        return STAND_IN
    return labels[language].get(DRAFT, PART if is_part(language, labels) else "")


def _facts(
    summary: Mapping[str, Any], code: str, language: str, words: Mapping[str, str]
) -> dict[str, Any]:
    facts = summary["sheets"][code]

    def number(value: float, decimals: int = 0) -> str:
        return in_language(value, language, decimals)

    return {
        "foreign": facts["foreign"],
        "people": number(facts["people"]),
        "datasets": number(facts["datasets"]),
        "signed": words["not_signed"] if facts["signed"] == "no" else facts["signed"],
        "asked": [
            (words[group], *(number(counts[key]) for key in ("questions", "answered", "refused")))
            for group, counts in facts["asked"].items()
            if counts["questions"]
        ],
        "left": [
            (words["left_bytes"], number(facts["left"]["query_bytes"] / 1000)),
            *(
                (words[label], words["not_asked"] if left is None else number(left))
                for label, left in (
                    ("left_stories", facts["left"]["story_answers"]),
                    ("left_analyses", facts["left"]["analyses"]),
                )
            ),
        ],
        "left_words": words["left_asker" if facts["asks"] else "left_words"],
        "capital": words.get(f"capital_{code}", facts["capital"]),
        "seen": _seen(summary, code, words, number),
        "consent": _consent(summary["survey"][code], words, number),
        **_maturity(summary, code, words, number),
        **_costs(summary, code, number),
        "next": list(_next(summary, code, words, number)),
    }


def _seen(
    summary: Mapping[str, Any], code: str, words: Mapping[str, str], number: Any
) -> list[tuple[str, str]]:
    seen = summary["sheets"][code]["from_capital"]
    in_time = f"{words['in_time']} (≤ {number(summary['qs02']['deadline_s'])} s)"
    if seen is None:
        return [(in_time, words["not_measured"])]
    far = seen["farthest"]
    name = summary["sheets"].get(far, {"name": far})["name"]
    return [
        (words["capital_asked"], number(seen["questions"])),
        (in_time, f"{number(100 * seen['in_time'], 1)} %"),
        (words["median"], number(seen["p50_ms"], 1)),
        (words["farthest"], words.get(f"country_{far}", name)),
    ]


def _consent(
    survey: Mapping[str, Mapping[str, int]], words: Mapping[str, str], number: Any
) -> list[tuple[str, ...]]:
    return [
        (
            words[question],
            *(number(answers[one]) if one in answers else "–" for one in ANSWERS),
        )
        for question, answers in survey.items()
    ]


def _maturity(
    summary: Mapping[str, Any], code: str, words: Mapping[str, str], number: Any
) -> dict[str, Any]:
    found = list(summary["maturity"]["nodes"][code]["indicators"].values())
    return {
        "indicators": f"{number(len(found))} / {number(len(summary['maturity']['indicators']))}",
        "maturity": [
            (words[label], number(found.count(status))) for status, label in STATUSES.items()
        ],
    }


def _costs(summary: Mapping[str, Any], code: str, number: Any) -> dict[str, Any]:
    costs = summary["costs"]
    if costs is None:
        return {"costs": None}
    size = costs["sizes"][-1]
    shares = size["countries"][code]
    return {
        "costs": [
            (design, [_spread(shares[design][key], number) for key in ("equal", "by_gdp")])
            for design in ("federated", "central")
        ],
        "cost_people": number(size["people"]),
        "from_memory": f"{number(len(costs['from_memory']))} / {number(len(costs['prices']))}",
        "is_marked": bool(costs["from_memory"]),
        "gdp_from_memory": f"{number(len(costs['gdp_from_memory']))} / {number(len(costs['gdp']))}",
        "is_gdp_marked": bool(costs["gdp_from_memory"]),
    }


def _spread(share: Mapping[str, float] | None, number: Any) -> tuple[str, str]:
    """Write the median of a share, and the range of 90 % of the draws. None: it is not known."""
    if share is None:
        return "–", ""
    low, middle, high = (number(rounded(share[one])) for one in ("0.05", "0.5", "0.95"))
    return middle, f"{low}–{high}"


def _next(
    summary: Mapping[str, Any], code: str, words: Mapping[str, str], number: Any
) -> Iterator[str]:
    """Yield what would help next: only what a figure of the run speaks for."""
    yield words["next_group"]
    node, costs = summary["maturity"]["nodes"][code], summary["costs"]
    counts = {
        "next_reconsent": summary["survey"][code]["legal_basis"][
            "no, but re-consenting is possible"
        ],
        "next_failed": list(node["indicators"].values()).count(FAILED),
        "next_measure": sum(one["status"] == NOT_MEASURED for one in node["checks"].values()),
        "next_prices": len(costs["from_memory"]) if costs else 0,
    }
    for key, count in counts.items():
        if count:
            yield f"{words[key]} {number(count)}"


def in_language(value: float, language: str, decimals: int = 0) -> str:
    """Write a number as readers of a language do.

    Args:
        value: The number.
        language: The code of the language.
        decimals: Digits after the decimal mark.
    """
    text = f"{value:,.{decimals}f}"
    if language in WITH_POINT:
        return text
    return text.replace(",", NARROW_SPACE).replace(".", ",")
