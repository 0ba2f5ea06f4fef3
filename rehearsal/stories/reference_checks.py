"""Checks that a story refers only to things that exist: its own keys, and parts of the run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rehearsal.errors import shown
from rehearsal.model import Gene, PlantedVariant, Variant
from rehearsal.phenotypes.trait_types import Disease, Traits
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.truth import hpo, mondo
from rehearsal.truth.query_answers import ONSET_OF, SEX_OF_TERM

MOST_NAMES = 40  # of allowed names in a message
NUMBERS = ("age", "birthYear", "ageOfOnset")  # numeric fields of every node


@dataclass(frozen=True)
class RunReferences:
    """What a story may refer to: countries, planted variants, genes and traits of a run.

    Each method reads one reference and raises InputError if it does not exist. With
    ``has_ontology``, HPO terms are looked up too, which takes a second and 200 MB.
    """

    countries: Sequence[str]
    planted: Sequence[PlantedVariant]
    genes: Sequence[Gene]
    traits: Traits
    has_ontology: bool = False
    patients: Sequence[str] = ()  # handles of the story that is being read

    def country(self, entry: Entry) -> str:
        """Read a country of the run.

        Args:
            entry: Its code.
        """
        hint = "; a run of fewer countries needs stories of its own, or stories: null"
        return _one_of(entry, self.countries, "a country of this run", hint)

    def patient(self, entry: Entry) -> str:
        """Read the handle of a patient of the same story.

        Args:
            entry: The handle.
        """
        return _one_of(entry, self.patients, "a patient of this story")

    def variant(self, entry: Entry) -> PlantedVariant:
        """Read a planted variant.

        Args:
            entry: Its gene and name: ``BRCA1 c.68_69del``.
        """
        by_label = {one.label: one for one in self.planted}
        return by_label[_one_of(entry, by_label, "a planted variant")]

    def variants_in_gene(self, gene: Entry) -> tuple[Variant, ...]:
        """Read a gene and return the germline variants that are planted in it.

        Args:
            gene: Name of the gene.
        """
        named = _one_of(gene, {one.gene: one for one in self.planted}, "a gene of variants.tsv")
        return tuple(
            one.variant for one in self.planted if one.gene == named and not one.is_somatic
        )

    def gene(self, entry: Entry) -> str:
        """Read a gene of the run.

        Args:
            entry: Its name.
        """
        return _one_of(entry, [gene.name for gene in self.genes], "a gene of genes.tsv")

    def disease(self, entry: Entry) -> str:
        """Read a disease of the traits.

        Args:
            entry: Its name.
        """
        return _one_of(entry, [one.name for one in self.traits.diseases], "a disease of the traits")

    def first_year(self, disease: str) -> int | None:
        """Return the year before which nobody has a disease, or None.

        Args:
            disease: Name of a disease of the traits.
        """
        return next(one.first_year for one in self.traits.diseases if one.name == disease)

    def polygenic_trait(self, entry: Entry) -> str:
        """Read a disease or measurement with a polygenic part.

        Args:
            entry: Its name.
        """
        return _one_of(entry, [one.name for one in self.traits.polygenic], "a polygenic trait")

    def scored_disease(self, entry: Entry) -> Disease:
        """Read a disease with a polygenic part, which has a scoring file.

        Args:
            entry: Its name.
        """
        scored = {one.name: one for one in self.traits.diseases if one.genetics is not None}
        return scored[_one_of(entry, scored, "a polygenic disease of the traits")]

    def measurement(self, entry: Entry) -> str:
        """Read a measurement of the traits.

        Args:
            entry: Its name.
        """
        names = [one.name for one in self.traits.measurable]
        return _one_of(entry, names, "a measurement of the traits")

    def treatment(self, entry: Entry) -> str:
        """Read a treatment of the traits.

        Args:
            entry: Its name.
        """
        names = [one.name for one in self.traits.treatments]
        return _one_of(entry, names, "a treatment of the traits")

    def hpo_term(self, entry: Entry) -> str:
        """Read an HPO term that the ontology of this release has.

        Args:
            entry: The term.

        Raises:
            InputError: The entry is not an HPO identifier, or the release does not have it.
        """
        code = entry.text(r"HP:\d{7}", "HP:0000252")
        if self.has_ontology and not hpo.is_known(code):
            raise entry.error("a term of HPO")
        return code

    def term(self, entry: Entry) -> str:
        """Read any term that people of the run may have: HPO, or a code of the traits.

        Args:
            entry: The term.

        Raises:
            InputError: The entry is neither an HPO term nor a code of the traits.
        """
        code = entry.text(r"[A-Za-z][A-Za-z0-9.]*:\S+", "MONDO:0007254")
        if code.startswith("HP:"):
            return self.hpo_term(entry)
        if code in SEX_OF_TERM or any(_is_under(one, code) for one in self._codes):
            return code
        raise entry.error(f"a code of {self.traits.source} or an HPO term")

    def number_field(self, entry: Entry) -> str:
        """Read a numeric field: an age, or the code of a measurement.

        Args:
            entry: The field.
        """
        field = entry.text()
        if field in NUMBERS:
            return field
        if field.startswith(ONSET_OF):
            self.term(Entry(entry.source, entry.key, field.removeprefix(ONSET_OF), entry.line))
            return field
        codes = {one.code: one for one in self.traits.measurable}
        return _one_of(entry, codes, f"{', '.join(NUMBERS)} or a measurement of the traits")

    @cached_property
    def _codes(self) -> frozenset[str]:
        traits = self.traits
        diseases = {code for one in traits.diseases for code in (one.code, one.mondo)}
        drugs = {drug.term.code for one in traits.treatments for drug in one.drugs}
        return frozenset({*diseases, *drugs, *(one.code for one in traits.measurable)})


def check_keys(
    question: Entry, keys: Mapping[str, Entry], known: Sequence[str], required: Sequence[str]
) -> None:
    """Check the keys that only a question's type has.

    Args:
        question: The question.
        keys: Its keys that are not those of every question, by name.
        known: Keys of the question type.
        required: Keys that must be given.

    Raises:
        InputError: A key is unknown or missing.
    """
    for name, entry in keys.items():
        if name not in known:
            words = (
                f"one of the keys {', '.join(known)}" if len(known) > 1 else f"the key {known[0]}"
            )
            raise entry.error(words, f"the unknown key {shown(name)}")
    for name in required:
        if name not in keys:
            raise question.error(f"the key {name}", "no such key")


def _one_of(entry: Entry, known: Collection[str], what: str, hint: str = "") -> str:
    if isinstance(entry.value, str) and entry.value in known:
        return entry.value
    names = sorted(known)
    more = ", ..." if len(names) > MOST_NAMES else ""
    listed = ", ".join(names[:MOST_NAMES]) or "none"
    raise entry.error(f"{what} ({listed}{more}{hint})")


def _is_under(code: str, wanted: str) -> bool:
    """Say whether a code is the wanted one or, in Mondo, ICD-10 and ATC, below it."""
    if wanted.startswith("MONDO:"):
        return wanted in mondo.at_or_above(code)
    if wanted.startswith("ATC:"):
        return code.startswith(wanted)
    if wanted.startswith("ICD10"):
        return code == wanted or code.startswith(wanted if "." in wanted else f"{wanted}.")
    return code == wanted
