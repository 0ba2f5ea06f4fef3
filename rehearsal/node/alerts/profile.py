"""What a standing query looks for in new patients."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from rehearsal.model import SEXES
from rehearsal.node.alerts.patient_import import NewPatient
from rehearsal.node.beacon.datasets import Holdings
from rehearsal.stores.ontology import CodeHierarchy
from rehearsal.web.problem import Problem, shown

KEYS = ("sex", "age", "terms", "gene", "maximumFrequency")
TERM = re.compile(r"[A-Za-z][A-Za-z0-9]*:[^\s:%]+")
MOST_TERMS = 20
OLDEST = 150
CODES = CodeHierarchy()


@dataclass(frozen=True, slots=True)
class Profile:
    """A patient like this: of a sex, of an age (completed years, both ends included), with all of
    the terms, and with a variant in a gene that at most ``maximum_frequency`` of the alleles at
    this node are. What is None does not matter."""

    sex: str | None
    age: tuple[int, int] | None
    terms: tuple[str, ...]
    gene: str | None
    maximum_frequency: float | None

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values, which ``Profile.from_json`` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Profile:
        age = values["age"]
        told = {"age": None if age is None else tuple(age), "terms": tuple(values["terms"])}
        return cls(**{**values, **told})

    def matches(self, patient: NewPatient, holdings: Holdings) -> bool:
        """Whether a new patient is like this."""
        if self.sex is not None and patient.sex != self.sex:
            return False
        if self.age is not None and not (
            patient.age is not None and self.age[0] <= patient.age <= self.age[1]
        ):
            return False
        if not all(_has(patient, term, holdings) for term in self.terms):
            return False
        return self.gene is None or self._has_variant(patient, holdings)

    def _has_variant(self, patient: NewPatient, holdings: Holdings) -> bool:
        gene = holdings.genes[self.gene]
        return any(
            variant.contig == gene.contig
            and variant.start < gene.end
            and variant.start + len(variant.ref) > gene.start
            and _frequency(variant, holdings) <= self.maximum_frequency
            for variant in patient.variants
        )


def read_profile(value: Any, holdings: Holdings) -> Profile:
    """``{"sex": "male", "age": {"from": 18, "to": 50}, "terms": ["HP:0033141"], "gene": "TLR7",
    "maximumFrequency": 0.001}``: at least terms or a gene, a gene with its bound.

    Raises Problem (400), also for a gene that the node does not know.
    """
    if not isinstance(value, dict) or not set(value) <= set(KEYS):
        raise Problem(f"profile: an object with some of {', '.join(KEYS)}")
    sex, terms = value.get("sex"), value.get("terms", [])
    if sex not in (None, *SEXES):
        raise Problem(f"profile.sex: {' or '.join(SEXES)}, not {shown(sex)}")
    if not isinstance(terms, list) or len(terms) > MOST_TERMS:
        raise Problem(f"profile.terms: a list of at most {MOST_TERMS}")
    for term in terms:
        if not isinstance(term, str) or not TERM.fullmatch(term):
            raise Problem(f"profile.terms: like HP:0033141, not {shown(term)}")
    gene, bound = value.get("gene"), value.get("maximumFrequency")
    if not terms and gene is None:
        raise Problem("profile: terms, a gene, or both")
    if (gene is None) != (bound is None):
        raise Problem("profile: gene and maximumFrequency together")
    if gene is not None:
        holdings.gene(gene if isinstance(gene, str) else shown(gene))
        if isinstance(bound, bool) or not isinstance(bound, int | float) or not 0 <= bound <= 1:
            raise Problem(f"profile.maximumFrequency: from 0 to 1, not {shown(bound)}")
    age = _age(value.get("age"))
    return Profile(
        sex, age, tuple(sorted(set(terms))), gene, None if bound is None else float(bound)
    )


def _age(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"from", "to"}:
        raise Problem("profile.age: an object with from and to, in years")
    low, high = value["from"], value["to"]
    for years in (low, high):
        if isinstance(years, bool) or not isinstance(years, int) or not 0 <= years <= OLDEST:
            raise Problem(f"profile.age: whole years from 0 to {OLDEST}, not {shown(years)}")
    if low > high:
        raise Problem("profile.age: from at most to")
    return low, high


def _has(patient: NewPatient, term: str, holdings: Holdings) -> bool:
    """Whether somebody has a term, or one under it: by the hierarchy of ICD-10's codes, or by
    what the node's people store knows of HPO."""
    if term in patient.terms:
        return True
    if any(term in CODES.ancestors(one) for one in patient.terms):
        return True
    return not patient.terms.isdisjoint(holdings.people.under(term))


def _frequency(variant: Any, holdings: Holdings) -> float:
    """Of an allele among this node's people; 0 when nobody has it."""
    row = holdings.variants.get(variant.contig, variant.start, variant.ref, variant.alt)
    if row is None or row.total.an == 0:
        return 0.0
    return row.total.ac / row.total.an
