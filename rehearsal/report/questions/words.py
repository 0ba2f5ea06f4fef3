"""Values of stories in plain words: terms, variants, states, and tables by country."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rehearsal.catalogue.dataset_descriptor import USE_NAMES
from rehearsal.model import ANSWER_STATES
from rehearsal.report.page_elements import Column, Linked, Table, spaced, whole
from rehearsal.report.tables import country_href

# Names of the codes that the stories of this repository ask for; other codes are shown as they are.
TERM_NAMES = {
    "NCIT:C16576": "female",
    "NCIT:C20197": "male",
    "MONDO:0007254": "breast cancer",
    "MONDO:0005105": "melanoma",
    "NAACCR:3904": "recurrence score",
    "ICD10:C79": "distant metastasis",
    "ATC:L02B": "hormone antagonists (endocrine therapy)",
    "ATC:L01": "antineoplastic agents (chemotherapy)",
    "ATC:L01EC": "BRAF inhibitors",
    "ATC:L01FF": "checkpoint inhibitors",
    "ATC:C10AA01": "simvastatin",
    "ATC:C10AA05": "atorvastatin",
    "ATC:C10AA07": "rosuvastatin",
    "HP:0033141": "severe COVID-19",
    "HP:0001945": "fever",
}
# kinds of query of config/queries.yaml, short enough for the labels of a chart
QUERY_KINDS = {
    "absent": "absent variant",
    "carriers": "carriers of a variant",
    "count": "count of a variant",
    "gene": "variants in a gene",
    "ill_formed": "ill-formed request",
    "individuals": "people by filters",
    "presence": "presence of a variant",
    "range": "variants in a range",
}
FIELD_NAMES = {"birthYear": "year of birth"}
OPERATORS = {"=": "of", "<": "below", "<=": "of at most", ">": "above", ">=": "of at least"}
STATE_WORDS = {
    "answered": "answered",
    "refused": "refused",
    "failed": "failed",
    "late": "did not answer in time",
}
VARIANT = re.compile(r"(chr\w+)-(\d+)-([A-Z]+)-([A-Z]+)")
DIGEST = re.compile("[0-9a-f]{32,}")
SHOWN_DIGEST = 12  # characters of a digest or token
NONE = "–"
ACCESS = {
    "controlled": "controlled: a token, a stated purpose, exact answers",
    "registered": "registered: a token, protected answers",
    "public": "public: no token, coarse answers",
}
# what evaluation.judgement writes of a Beacon answer
JUDGED = re.compile(
    r"(yes|no|unknown)(?:, count (\d+))?"
    r"(?:, (\d+)/(\d+) alleles \((\d+) hom, (\d+) het, (\d+) hemi\))?"
)


def term_name(code: str) -> str:
    """Name a code of an ontology.

    Args:
        code: The code, for example ``ATC:L01``.

    Returns:
        Name and code where the name is known, else the code.
    """
    return f"{TERM_NAMES[code]} ({code})" if code in TERM_NAMES else code


def purpose_words(purpose: str | None) -> str:
    """Name the purpose of a request.

    Args:
        purpose: Terms of the Data Use Ontology, separated by spaces; None if none was stated.

    Returns:
        Names with their codes.
    """
    if purpose is None:
        return "not stated"
    codes = purpose.split()
    return ", ".join(f"{USE_NAMES[one]} ({one})" if one in USE_NAMES else one for one in codes)


def kind_words(kind: str) -> str:
    """Name a kind of query.

    Args:
        kind: The kind as config/queries.yaml writes it.
    """
    return QUERY_KINDS.get(kind, spaced(kind))


def access_words(tier: str) -> str:
    """Say what a tier of access means.

    Args:
        tier: ``controlled``, ``registered`` or ``public``.
    """
    return ACCESS.get(tier, tier)


def vocabulary(
    story: Mapping[str, Any], question: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, str]:
    """Collect words for the codes and names that the checks of a question hold.

    Args:
        story: The story, with its ``patients``.
        question: The question, with its ``details``.
        names: Names of the countries by code.

    Returns:
        Words by code of a country or term, handle of a patient and name of a stratum.
    """
    details = question["details"]
    people = [*story["patients"], *details.get("arrivals", ())]
    strata = details.get("strata", {}).items()
    terms = {code: term_name(code) for code in TERM_NAMES}
    handles = {one["handle"]: one["name"] for one in people if one.get("name")}
    return {**names, **terms, **handles, **{name: f"people {one['text']}" for name, one in strata}}


def check_words(name: str, words: Mapping[str, str]) -> str:
    """Write the name of a check with words for the patient or stratum before its colon.

    Args:
        name: The name as the run wrote it.
        words: Words by name, as ``vocabulary`` gives them.
    """
    subject, colon, rest = name.partition(": ")
    return f"{words.get(subject, subject)}{colon}{rest}"


def answer_words(value: Any, words: Mapping[str, str]) -> Any:
    """Replace codes by words in an expected or observed value of a check.

    Args:
        value: A plain JSON value.
        words: Words by code, as ``vocabulary`` gives them.

    Returns:
        A value of the same form.
    """
    if isinstance(value, Mapping):
        return {words.get(key, key): answer_words(one, words) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [answer_words(one, words) for one in value]
    if not isinstance(value, str):
        return value
    judged = JUDGED.fullmatch(value)
    return _judged_words(*judged.groups()) if judged else words.get(value, value)


def _judged_words(exists: str, count: str | None, *alleles: str | None) -> str:
    """Write what a Beacon answered: presence, number of matches, copies of the allele."""
    parts = [exists]
    if count is not None and exists != "no":
        parts.append(counted(int(count), "match", "matches"))
    if alleles[0] is not None:
        copies, number, *kinds = (int(one or 0) for one in alleles)
        where = zip(kinds, ("homozygous", "heterozygous", "hemizygous"), strict=True)
        shown = listed(f"{whole(one)} in {kind} people" for one, kind in where if one)
        parts.append(f"{whole(copies)} of {whole(number)} chromosomes ({shown})")
    return ", ".join(parts)


def filter_words(one: Mapping[str, Any]) -> str:
    """Say what a Beacon filter asks for.

    Args:
        one: The filter: ``id`` alone, or with ``operator`` and ``value``.

    Returns:
        A phrase, for example ``an age of at least 54 years``.
    """
    field, _, code = str(one["id"]).partition(":")
    if field == "ATC":
        return f"a treatment with {term_name(one['id'])}"
    if "operator" not in one:
        return term_name(one["id"])
    bound = f"{OPERATORS[one['operator']]} {one['value']}"
    if field == "ageOfOnset":
        return f"onset of {TERM_NAMES.get(code, code)} at an age {bound} years"
    if field == "age":
        return f"an age {bound} years"
    name = FIELD_NAMES.get(field) or TERM_NAMES.get(one["id"], one["id"])
    return f"a {name} {bound}"


def variant_words(name: str) -> str:
    """Write a variant for a reader, with its 1-based position.

    Args:
        name: The variant as files name it: ``chr1-119711920-T-C``, 1-based.

    Returns:
        For example ``chr1:119,711,920 T>C``; the name itself if it has another form.
    """
    parts = VARIANT.fullmatch(name)
    if parts is None:
        return name
    contig, position, ref, alt = parts.groups()
    return f"{contig}:{whole(int(position))} {ref}>{alt}"


def allele_words(parameters: Mapping[str, Any]) -> str:
    """Say which variant or gene a Beacon request names.

    Args:
        parameters: The request's parameters, with a 0-based ``start``.

    Returns:
        A phrase; empty if the request names neither.
    """
    if "geneId" in parameters:
        return f"the gene {parameters['geneId']}"
    if "start" not in parameters:
        return ""
    (start,) = parameters["start"]
    contig = f"chr{parameters['referenceName']}"
    bases = f"{parameters['referenceBases']}-{parameters['alternateBases']}"
    assembly = f" ({parameters['assemblyId']})" if "assemblyId" in parameters else ""
    return f"the variant {variant_words(f'{contig}-{start + 1}-{bases}')}{assembly}"


def listed(items: Iterable[str]) -> str:
    """Join phrases as a sentence does: ``a, b and c``.

    Args:
        items: The phrases.
    """
    *first, last = list(items) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def counted(number: int, one: str, many: str) -> str:
    """Write a number with its noun.

    Args:
        number: How many there are.
        one: The noun for one.
        many: The noun for any other number.
    """
    return f"{whole(number)} {one if number == 1 else many}"


def states_words(countries: Mapping[str, Mapping[str, Any]]) -> str:
    """Say how many nodes answered, refused, failed or were late.

    Args:
        countries: What came of each country, by code.
    """
    states = [one["state"] for one in countries.values()]
    found = [
        f"{states.count(state)} {STATE_WORDS[state]}" for state in ANSWER_STATES if state in states
    ]
    if not found:
        return "No node was asked."
    number, *rest = found[0].split(" ", 1)
    first = f"{number} {'node' if number == '1' else 'nodes'} {rest[0]}"
    return f"{', '.join([first, *found[1:]])}."


def country_table(
    caption: str,
    question: Mapping[str, Any],
    names: Mapping[str, str],
    columns: Sequence[tuple[Column, Callable[[Mapping[str, Any]], str]]],
) -> Table:
    """Tabulate what each country's node answered.

    Args:
        caption: The table's caption.
        question: The question with its ``countries``.
        names: Names of the countries by code.
        columns: Columns between the country and its answer time, each with a function that reads
            a cell from the country's ``answer``.

    Returns:
        One row per country, sorted by name. A country without an answer shows its reason instead.
    """
    head = [
        Column("Country", names_row=True),
        *(column for column, _ in columns),
        Column("Outcome"),
        Column("Answer time, ms", number=True),
    ]
    rows: list[tuple[str | Linked, ...]] = []
    for code, one in sorted(
        question["countries"].items(), key=lambda pair: names.get(pair[0], pair[0])
    ):
        answer = one.get("answer")
        cells = [NONE if answer is None else read(answer) for _, read in columns]
        outcome = STATE_WORDS[one["state"]]
        if one.get("reason"):
            outcome = f"{outcome}: {one['reason']}"
        latency = one.get("latency_ms")
        rows.append(
            (
                Linked(names.get(code, code), country_href(code, "../")),
                *cells,
                outcome,
                NONE if latency is None else whole(round(latency)),
            )
        )
    return Table(caption, head, rows)


def plain(value: Any) -> str:
    """Write a JSON value as a person reads it.

    Args:
        value: A number, text, truth value, list or mapping.

    Returns:
        Lists by commas, mappings as ``name value``, things of several parts by semicolons.
    """
    if isinstance(value, Mapping):
        found = {key: one for key, one in value.items() if one not in (None, [], {})}
        return (
            ", ".join(f"{spaced(str(key))}: {plain(one)}" for key, one in found.items()) or "none"
        )
    if isinstance(value, list | tuple):
        several = any(isinstance(item, Mapping | list | tuple) for item in value)
        return ("; " if several else ", ").join(map(plain, value)) or "none"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: NONE, True: "yes", False: "no"}[value]
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return f"{text[:SHOWN_DIGEST]}…" if DIGEST.fullmatch(text) else variant_words(text)
