"""What a match request asks: its patient, read and checked (Matchmaker Exchange API 1.1).

Beyond the standard a patient has ``_consent``: the uses that the asking patient permits, as DUO
terms. Without a feature and a gene or variant there is nothing to match by: both are needed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Variant
from rehearsal.node.beacon.contigs import ASSEMBLIES, contig_named
from rehearsal.web.problem import Problem, shown

MAX_FEATURES = 200
MAX_GENOMIC = 500
MAX_TEXT = 200  # characters of an identifier, a gene, a label
MAX_BASES = 1000
LONGEST = max(CONTIG_LENGTHS.values())
BASES = re.compile("[ACGTN]+")
USE = re.compile(r"DUO:\d{7}( MONDO:\d{7})?")
CONTEXT = "patient"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """``observed``, ``absent``: HPO terms; ``genes``: symbols; ``variants``: of GRCh38. ``uses``:
    what the asking patient permits. ``gene_of``: the gene that came with a variant. ``notes``:
    what was sent and cannot be used."""

    id: str
    observed: tuple[str, ...]
    absent: tuple[str, ...]
    genes: tuple[str, ...]
    variants: tuple[Variant, ...]
    uses: tuple[str, ...]
    gene_of: Mapping[Variant, str]
    notes: tuple[str, ...]


def read_match(raw: bytes) -> MatchRequest:
    """The request in a body. Raises Problem (400) that names the key."""
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(f"the body is no JSON: {error}") from None
    patient = _object("the body", document).get("patient")
    patient = _object(CONTEXT, patient)
    contact = _object(f"{CONTEXT}.contact", patient.get("contact"))
    for name in ("name", "href"):
        _text(f"{CONTEXT}.contact.{name}", contact.get(name))
    for name in ("label", "species", "sex", "ageOfOnset", "inheritanceMode"):
        if name in patient:
            _text(f"{CONTEXT}.{name}", patient[name])
    _list(f"{CONTEXT}.disorders", patient.get("disorders", []), MAX_FEATURES)
    observed, absent = _features(patient)
    genomic = _genomic(patient)
    return MatchRequest(
        id=_text(f"{CONTEXT}.id", patient.get("id")),
        observed=observed,
        absent=absent,
        uses=_uses(patient),
        genes=tuple(dict.fromkeys(one.gene for one in genomic if one.gene is not None)),
        variants=tuple(dict.fromkeys(one.variant for one in genomic if one.variant is not None)),
        gene_of={
            one.variant: one.gene
            for one in genomic
            if one.variant is not None and one.gene is not None
        },
        notes=tuple(one.note for one in genomic if one.note),
    )


def _features(patient: Body) -> tuple[tuple[str, ...], tuple[str, ...]]:
    observed, absent = [], []
    where = f"{CONTEXT}.features"
    for key, feature in _entries(where, patient.get("features", []), MAX_FEATURES):
        name = _text(f"{key}.id", feature.get("id"))
        for other in ("label", "ageOfOnset"):
            if other in feature:
                _text(f"{key}.{other}", feature[other])
        said = feature.get("observed", "yes")
        if said not in ("yes", "no"):
            raise Problem(f"{key}.observed: yes or no, not {shown(said)}")
        (observed if said == "yes" else absent).append(name)
    if not observed:
        raise Problem(f"{where}: at least one HPO term that was observed")
    return tuple(dict.fromkeys(observed)), tuple(dict.fromkeys(absent))


@dataclass(frozen=True, slots=True)
class _Genomic:
    """A genomic feature: a gene, a variant, or both. ``note``: why its variant is not used."""

    gene: str | None
    variant: Variant | None
    note: str = ""


def _genomic(patient: Body) -> list[_Genomic]:
    where = f"{CONTEXT}.genomicFeatures"
    found = [
        _genomic_feature(key, feature)
        for key, feature in _entries(where, patient.get("genomicFeatures", []), MAX_GENOMIC)
    ]
    if not found:
        raise Problem(f"{where}: at least one candidate gene or variant to share")
    return found


def _genomic_feature(key: str, feature: Body) -> _Genomic:
    zygosity = feature.get("zygosity")
    if zygosity not in (None, 1, 2) or isinstance(zygosity, bool):
        raise Problem(f"{key}.zygosity: 1 or 2 copies, not {shown(zygosity)}")
    gene = variant = None
    if "gene" in feature:
        gene = _text(f"{key}.gene.id", _object(f"{key}.gene", feature["gene"]).get("id"))
    if "variant" in feature:
        variant = _variant(f"{key}.variant", _object(f"{key}.variant", feature["variant"]))
    if isinstance(variant, str) and gene is not None:
        return _Genomic(gene, None, f"{key}.variant: {variant}: matched by the gene alone")
    if isinstance(variant, str):
        raise Problem(f"{key}.variant: {variant}, and there is no gene")
    if gene is None and variant is None:
        raise Problem(f"{key}: a gene, a variant, or both")
    return _Genomic(gene, variant)


def _variant(key: str, given: Body) -> Variant | str:
    """The variant, or why it cannot be compared. Raises Problem for what is none."""
    assembly = _text(f"{key}.assembly", given.get("assembly"))
    name = _text(f"{key}.referenceName", given.get("referenceName"))
    if assembly not in ASSEMBLIES:
        return f"of {shown(assembly)}, not GRCh38"
    if given.keys().isdisjoint(("start", "referenceBases", "alternateBases")):
        return "no position and bases"
    contig, start = contig_named(name), given.get("start")
    longest = CONTIG_LENGTHS.get(contig, LONGEST)
    if isinstance(start, bool) or not isinstance(start, int) or not 0 <= start < longest:
        raise Problem(f"{key}.start: a 0-based position on {contig}, not {shown(start)}")
    alleles = []
    for which in ("referenceBases", "alternateBases"):
        bases = given.get(which)
        if not isinstance(bases, str) or len(bases) > MAX_BASES or not BASES.fullmatch(bases):
            raise Problem(f"{key}.{which}: A, C, G, T, N, not {shown(bases)}")
        alleles.append(bases)
    return Variant(contig, start, *alleles)


def _uses(patient: Body) -> tuple[str, ...]:
    key = f"{CONTEXT}._consent"
    if "_consent" not in patient:
        raise Problem(f'{key}: the uses that the patient permits, like ["DUO:0000043"]')
    uses = _list(key, patient["_consent"], MAX_FEATURES)
    for use in uses:
        if not isinstance(use, str) or not USE.fullmatch(use):
            raise Problem(f"{key}: DUO terms like DUO:0000043, not {shown(use)}")
    return tuple(uses)


# --- shapes ---


def _object(key: str, value: Any) -> Body:
    if not isinstance(value, dict):
        raise Problem(f"{key}: an object, not {shown(value)}")
    return value


def _list(key: str, value: Any, longest: int) -> list[Any]:
    if not isinstance(value, list):
        raise Problem(f"{key}: a list, not {shown(value)}")
    if len(value) > longest:
        raise Problem(f"{key}: at most {longest}, not {len(value)}")
    return value


def _entries(key: str, value: Any, longest: int) -> Iterable[tuple[str, Body]]:
    for i, one in enumerate(_list(key, value, longest)):
        yield f"{key}[{i}]", _object(f"{key}[{i}]", one)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise Problem(f"{key}: text of 1 to {MAX_TEXT} characters, not {shown(value)}")
    return value
