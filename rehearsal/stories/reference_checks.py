"""Checks that what a story names is there: its own keys, and what the run has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rehearsal.model import Gene, PlantedVariant, Variant
from rehearsal.phenotypes.trait_types import Disease, Traits
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.truth import hpo
from rehearsal.truth.query_answers import ONSET_OF, SEX_OF_TERM

NUMBERS = ("age", "birthYear", "ageOfOnset")  # number fields of every node


@dataclass(frozen=True)
class RunReferences:
    """What a story may refer to: countries, planted variants, genes and traits of a run.

    Each method reads one reference, and raises InputError for what is not there.
    ``has_ontology``: look HPO terms up too, which takes a second and 200 MB.
    """

    countries: Sequence[str]
    planted: Sequence[PlantedVariant]
    genes: Sequence[Gene]
    traits: Traits
    has_ontology: bool = False
    patients: Sequence[str] = ()  # handles of the story that is being read

    def country(self, entry: Entry) -> str:
        """A country of the run."""
        what = "a country of this run (a run of few has stories: null, or its own)"
        return _one_of(entry, self.countries, what)

    def patient(self, entry: Entry) -> str:
        """The handle of a patient of the same story."""
        return _one_of(entry, self.patients, "a patient of this story")

    def variant(self, entry: Entry) -> PlantedVariant:
        """A planted variant by its gene and name: ``BRCA1 c.68_69del``."""
        by_label = {one.label: one for one in self.planted}
        return by_label[_one_of(entry, by_label, "a planted variant")]

    def variants_in_gene(self, gene: Entry) -> tuple[Variant, ...]:
        """The germline variants that are planted in a gene."""
        named = _one_of(gene, {one.gene: one for one in self.planted}, "a gene of variants.tsv")
        return tuple(
            one.variant for one in self.planted if one.gene == named and not one.is_somatic
        )

    def gene(self, entry: Entry) -> str:
        return _one_of(entry, [gene.name for gene in self.genes], "a gene of genes.tsv")

    def disease(self, entry: Entry) -> str:
        return _one_of(entry, [one.name for one in self.traits.diseases], "a disease of the traits")

    def polygenic_trait(self, entry: Entry) -> str:
        """A disease or measurement with a polygenic part."""
        return _one_of(entry, [one.name for one in self.traits.polygenic], "a polygenic trait")

    def scored_disease(self, entry: Entry) -> Disease:
        """A disease with a polygenic part, which has a scoring file, by its name."""
        scored = {one.name: one for one in self.traits.diseases if one.genetics is not None}
        return scored[_one_of(entry, scored, "a polygenic disease of the traits")]

    def measurement(self, entry: Entry) -> str:
        names = [one.name for one in self.traits.measurable]
        return _one_of(entry, names, "a measurement of the traits")

    def treatment(self, entry: Entry) -> str:
        names = [one.name for one in self.traits.treatments]
        return _one_of(entry, names, "a treatment of the traits")

    def hpo_term(self, entry: Entry) -> str:
        """An HPO term that the ontology of this release has."""
        code = entry.text(r"HP:\d{7}", "HP:0000252")
        if self.has_ontology and not hpo.is_known(code):
            raise entry.error(f"a term of HPO, found {code}")
        return code

    def term(self, entry: Entry) -> str:
        """Any term that people of the run may have: HPO, or a code of the traits."""
        code = entry.text(r"[A-Za-z][A-Za-z0-9.]*:\S+", "MONDO:0007254")
        if code.startswith("HP:"):
            return self.hpo_term(entry)
        if code in SEX_OF_TERM or any(_is_under(one, code) for one in self._codes):
            return code
        raise entry.error(f"a code of {self.traits.source} or an HPO term, found {code}")

    def number_field(self, entry: Entry) -> str:
        """A field with numbers: an age, or the code of a measurement."""
        field = entry.text()
        if field in NUMBERS:
            return field
        if field.startswith(ONSET_OF):
            self.term(Entry(entry.source, entry.key, field.removeprefix(ONSET_OF), entry.line))
            return field
        codes = {one.code: one for one in self.traits.measurable}
        return _one_of(entry, codes, f"one of {' '.join(NUMBERS)} or a measurement of the traits")

    @cached_property
    def _codes(self) -> frozenset[str]:
        traits = self.traits
        diseases = {code for one in traits.diseases for code in (one.code, one.mondo)}
        drugs = {drug.term.code for one in traits.treatments for drug in one.drugs}
        return frozenset({*diseases, *drugs, *(one.code for one in traits.measurable)})


def check_keys(
    question: Entry, keys: Mapping[str, Entry], known: Sequence[str], required: Sequence[str]
) -> None:
    """Raise InputError for a key that a question type does not know, or for one that is missing.

    ``keys``: those of the question that are its type's own, by name.
    """
    for name, entry in keys.items():
        if name not in known:
            words = (
                f"one of the keys {' '.join(known)}" if len(known) > 1 else f"the key {known[0]}"
            )
            raise entry.error(words)
    for name in required:
        if name not in keys:
            raise question.error(f"the key {name}")


def _one_of(entry: Entry, known: Collection[str], what: str) -> str:
    if isinstance(entry.value, str) and entry.value in known:
        return entry.value
    names = sorted(known)
    listed = " ".join(names[:40]) if " " not in "".join(names) else ", ".join(names[:40])
    raise entry.error(f"{what}: {listed or '(none)'}; found {entry.value!r}")


def _is_under(code: str, wanted: str) -> bool:
    """Whether a code is the wanted one or, in ICD-10 and ATC, lies under it."""
    if wanted.startswith("ATC:"):
        return code.startswith(wanted)
    if wanted.startswith("ICD10"):
        return code == wanted or code.startswith(wanted if "." in wanted else f"{wanted}.")
    return code == wanted
