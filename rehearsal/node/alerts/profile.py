"""What a standing query looks for in new patients."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rehearsal.model import Gene, Variant
from rehearsal.node.alerts.patient_import import NewPatient
from rehearsal.node.alerts.request import ProfileRequest
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.stores.ontology import CodeHierarchy

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

    @classmethod
    def from_request(cls, request: ProfileRequest, node_data: NodeData) -> Profile:
        """Raises Problem (400) for a gene that the node does not know."""
        if request.gene is not None:
            node_data.gene(request.gene)
        age = None if request.age is None else (request.age.from_, request.age.to)
        terms = tuple(sorted(set(request.terms)))
        return cls(request.sex, age, terms, request.gene, request.maximum_frequency)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Profile:
        age = None if values["age"] is None else tuple(values["age"])
        return cls(**{**values, "age": age, "terms": tuple(values["terms"])})

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values, which ``Profile.from_json`` takes back."""
        return asdict(self)

    def matches(self, patient: NewPatient, node_data: NodeData) -> bool:
        """Whether a new patient is like this."""
        return (
            self.sex in (None, patient.sex)
            and self._includes_age(patient.age)
            and all(_has_term(patient, term, node_data) for term in self.terms)
            and self._includes_variant_of(patient, node_data)
        )

    def _includes_age(self, age: int | None) -> bool:
        if self.age is None:
            return True
        return age is not None and self.age[0] <= age <= self.age[1]

    def _includes_variant_of(self, patient: NewPatient, node_data: NodeData) -> bool:
        if self.gene is None or self.maximum_frequency is None:
            return True
        gene, most = node_data.genes[self.gene], self.maximum_frequency
        return any(
            _overlaps(variant, gene) and _frequency(variant, node_data) <= most
            for variant in patient.variants
        )


def _has_term(patient: NewPatient, term: str, node_data: NodeData) -> bool:
    """Whether somebody has a term, or one under it: by the hierarchy of ICD-10's codes, or by
    what the node's people store knows of HPO."""
    if term in patient.terms:
        return True
    if any(term in CODES.ancestors(one) for one in patient.terms):
        return True
    return not patient.terms.isdisjoint(node_data.people.under(term))


def _overlaps(variant: Variant, gene: Gene) -> bool:
    if variant.contig != gene.contig:
        return False
    return variant.start < gene.end and variant.start + len(variant.ref) > gene.start


def _frequency(variant: Variant, node_data: NodeData) -> float:
    """Of an allele among this node's people; 0 when nobody has it."""
    row = node_data.variants.get(variant.contig, variant.start, variant.ref, variant.alt)
    if row is None or row.total.an == 0:
        return 0.0
    return row.total.ac / row.total.an
