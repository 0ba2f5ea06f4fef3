"""The seven entry types of the Beacon v2 default model, and their paths."""

from __future__ import annotations

from dataclasses import dataclass

MODEL = "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/models/json/"
MODEL += "beacon-v2-default-model"
API_VERSION = "v2.1.1"
SPECIFICATION = f"Beacon {API_VERSION}"


@dataclass(frozen=True, slots=True)
class EntryType:
    """An entry type."""

    id: str
    path: str  # of its endpoint
    name: str
    description: str
    term: tuple[str, str]  # ontology term of the type: identifier, label
    folder: str  # of its schema in the model
    lists: tuple[str, ...]  # paths of the entry types listed below one entry

    @property
    def schema(self) -> str:
        """Identifier of the default schema."""
        short = {"genomicVariant": "variant"}.get(self.id, self.id)
        return f"ga4gh-beacon-{short}-{API_VERSION}"

    @property
    def schema_url(self) -> str:
        """Address of the default schema."""
        return f"{MODEL}/{self.folder}/defaultSchema.json"


OF_COLLECTIONS = ("g_variants", "individuals", "biosamples", "runs", "analyses")

ENTRY_TYPES: dict[str, EntryType] = {
    entry_type.path: entry_type
    for entry_type in (
        EntryType(
            "genomicVariant",
            "g_variants",
            "Genomic Variants",
            "Alleles with carriers at this node.",
            ("ENSGLOSSARY:0000092", "Variant"),
            "genomicVariations",
            ("individuals", "biosamples", "runs", "analyses"),
        ),
        EntryType(
            "individual",
            "individuals",
            "Individuals",
            "People of this node. They are synthetic.",
            ("NCIT:C25190", "Person"),
            "individuals",
            ("g_variants", "biosamples", "runs", "analyses"),
        ),
        EntryType(
            "biosample",
            "biosamples",
            "Biological Samples",
            "The sample that a person's simulated genome represents.",
            ("NCIT:C70699", "Biospecimen"),
            "biosamples",
            ("g_variants", "individuals", "runs", "analyses"),
        ),
        EntryType(
            "run",
            "runs",
            "Sequencing Runs",
            "The sequencing run that a person's simulated genome represents.",
            ("NCIT:C148088", "Sequencing run"),
            "runs",
            ("g_variants", "individuals", "biosamples", "analyses"),
        ),
        EntryType(
            "analysis",
            "analyses",
            "Bioinformatics Analyses",
            "The analysis that a person's simulated genotypes represent.",
            ("EDAM:operation_2945", "Analysis"),
            "analyses",
            ("g_variants", "individuals", "biosamples", "runs"),
        ),
        EntryType(
            "dataset",
            "datasets",
            "Datasets",
            "Allele frequencies, people, and a few people for tests.",
            ("NCIT:C47824", "Data set"),
            "datasets",
            OF_COLLECTIONS,
        ),
        EntryType(
            "cohort",
            "cohorts",
            "Cohorts",
            "All people of this node.",
            ("NCIT:C61512", "Cohort"),
            "cohorts",
            OF_COLLECTIONS,
        ),
    )
}
COLLECTIONS = frozenset({"datasets", "cohorts"})
