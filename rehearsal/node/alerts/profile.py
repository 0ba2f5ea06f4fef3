"""The profile of patients that a subscription looks for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pyroaring import BitMap

from rehearsal.model import Gene, Variant
from rehearsal.node.alerts.patient_import import NewPatient
from rehearsal.node.alerts.request import ProfileRequest
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.stores.ontology import CodeHierarchy

CODES = CodeHierarchy()


@dataclass(frozen=True, slots=True)
class Profile:
    """Conditions on a new patient, all of which must hold. None matches everybody."""

    sex: str | None
    age: tuple[int, int] | None  # completed years, both ends included
    terms: tuple[str, ...]  # the patient has each term or a descendant
    gene: str | None  # the patient carries a variant in this gene
    maximum_frequency: float | None  # of that variant among the node's alleles

    @classmethod
    def from_request(cls, request: ProfileRequest, node_data: NodeData) -> Profile:
        """Build the profile of a request.

        Args:
            request: The request's profile.
            node_data: The node's data.

        Returns:
            The profile.

        Raises:
            Problem: The gene is not in the node's table (400).
        """
        if request.gene is not None:
            node_data.gene(request.gene, "profile.gene")
        age = None if request.age is None else (request.age.from_, request.age.to)
        terms = tuple(sorted(set(request.terms)))
        return cls(request.sex, age, terms, request.gene, request.maximum_frequency)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Profile:
        """Read a profile from JSON values.

        Args:
            values: Values of :meth:`to_json`.

        Returns:
            The profile.
        """
        age = None if values["age"] is None else tuple(values["age"])
        return cls(**{**values, "age": age, "terms": tuple(values["terms"])})

    def to_json(self) -> dict[str, Any]:
        """Convert the profile to JSON values, which :meth:`from_json` reads back."""
        return asdict(self)

    def may_match(self, patient: NewPatient) -> bool:
        """Tell whether a new patient meets the conditions that depend on the patient alone.

        Args:
            patient: The patient.
        """
        return self.sex in (None, patient.sex) and self._includes_age(patient.age)

    def matches(self, patient: NewPatient, node_data: NodeData, among: BitMap | None) -> bool:
        """Tell whether a new patient meets all conditions.

        Args:
            patient: The patient.
            node_data: The node's data.
            among: Numbers of the people who may influence the answer. None stands for everybody.
        """
        return (
            self.may_match(patient)
            and all(_has_term(patient, term, node_data, among) for term in self.terms)
            and self._includes_variant_of(patient, node_data, among)
        )

    def _includes_age(self, age: int | None) -> bool:
        if self.age is None:
            return True
        return age is not None and self.age[0] <= age <= self.age[1]

    def _includes_variant_of(
        self, patient: NewPatient, node_data: NodeData, among: BitMap | None
    ) -> bool:
        if self.gene is None or self.maximum_frequency is None:
            return True
        gene, most = node_data.genes[self.gene], self.maximum_frequency
        return any(
            _overlaps(variant, gene) and _frequency(variant, node_data, among) <= most
            for variant in patient.variants
        )


def _has_term(patient: NewPatient, term: str, node_data: NodeData, among: BitMap | None) -> bool:
    """Tell whether a patient has a term or a descendant.

    Descendants come from the hierarchy of ICD-10 codes and from the terms of people of the node.
    """
    if term in patient.terms:
        return True
    if any(term in CODES.ancestors(one) for one in patient.terms):
        return True
    people = node_data.people
    known = patient.terms.intersection(people.under(term))
    return bool(known) and (
        among is None or any(people.with_term(one, descendants=False) & among for one in known)
    )


def _overlaps(variant: Variant, gene: Gene) -> bool:
    if variant.contig != gene.contig:
        return False
    return variant.start < gene.end and variant.start + len(variant.ref) > gene.start


def _frequency(variant: Variant, node_data: NodeData, among: BitMap | None) -> float:
    """Return an allele's frequency among people of this node; 0 without carriers."""
    row = node_data.variants.get(variant.contig, variant.start, variant.ref, variant.alt)
    if row is None:
        return 0.0
    counts = node_data.counts(row, among).values()
    return sum(one.ac for one in counts) / max(1, sum(one.an for one in counts))
