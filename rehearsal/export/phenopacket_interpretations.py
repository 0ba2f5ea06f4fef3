"""What phenopackets say about genes: interpretations of variants, and candidate genes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.export.phenopacket_messages import Message, term
from rehearsal.formats.ontology_terms import (
    HEMIZYGOUS,
    HETEROZYGOUS,
    HOMOPLASMIC,
    HOMOZYGOUS,
)
from rehearsal.genomes.assembly import ploidy
from rehearsal.phenotypes.trait_types import Traits

ANY_DISEASE = ("MONDO:0000001", "disease")


@dataclass(frozen=True, slots=True)
class GeneKnowledge:
    """What an interpretation says about a gene, by gene symbol."""

    identifiers: Mapping[str, str] = field(default_factory=dict)  # HGNC identifiers
    diseases: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # MONDO code, label
    actionable: frozenset[str] = frozenset()  # genes that change the odds of an adverse event

    @classmethod
    def of(cls, traits: Traits) -> GeneKnowledge:
        """Collect what the traits say about genes.

        Args:
            traits: The configured traits. If a gene causes several diseases, the first counts.
        """
        diseases: dict[str, tuple[str, str]] = {}
        for disease in traits.diseases:
            for risk in disease.genes:
                diseases.setdefault(risk.gene, (disease.mondo, disease.mondo_label))
        events = [
            drug.adverse_event
            for treatment in traits.treatments
            for drug in treatment.drugs
            if drug.adverse_event is not None
        ]
        actionable = frozenset(gene for event in events for gene in event.odds_ratios)
        return cls(traits.gene_identifiers, diseases, actionable)


def interpretation(
    number: int, row: Message, person: Message, ill: set[str], genes: GeneKnowledge
) -> Message:
    """Build the interpretation of one planted variant that a person carries.

    Args:
        number: The variant's number among those of the person, from 1.
        row: The person's row of ``planted_carriers``.
        person: The person's row of ``people``.
        ill: MONDO codes of the person's diseases.
        genes: What is known about genes.
    """
    gene = row["gene"]
    disease = genes.diseases.get(gene, ANY_DISEASE)
    causative = disease[0] in ill
    known = gene in genes.diseases
    return {
        "id": f"{person['individual']}-IN{number}",
        "progressStatus": "SOLVED" if causative else "COMPLETED",
        "diagnosis": {
            "disease": term(*disease),
            "genomicInterpretations": [
                {
                    "subjectOrBiosampleId": person["individual"],
                    "interpretationStatus": "CAUSATIVE" if causative else "UNKNOWN_STATUS",
                    "variantInterpretation": {
                        "acmgPathogenicityClassification": "PATHOGENIC"
                        if known
                        else "NOT_PROVIDED",
                        "therapeuticActionability": "ACTIONABLE"
                        if gene in genes.actionable
                        else "UNKNOWN_ACTIONABILITY",
                        "variationDescriptor": _variation(row, person, genes.identifiers),
                    },
                }
            ],
        },
    }


def suspected(person: Message, rows: list[Message], genes: GeneKnowledge) -> list[Message]:
    """Build one interpretation in progress with all candidate genes of a person.

    Args:
        person: The person's row of ``people``.
        rows: The person's rows of ``candidate_genes``.
        genes: What is known about genes.

    Returns:
        One interpretation, or an empty list without candidate genes.
    """
    if not rows:
        return []
    name, identifiers = person["individual"], genes.identifiers
    candidates = [
        {
            "subjectOrBiosampleId": name,
            "interpretationStatus": "CANDIDATE",
            # a gene's descriptor needs an identifier: the symbol if there is no other
            "gene": {"valueId": identifiers.get(gene, gene), "symbol": gene},
        }
        for gene in (row["gene"] for row in rows)
    ]
    diagnosis = {"disease": term(*ANY_DISEASE), "genomicInterpretations": candidates}
    return [{"id": f"{name}-CA", "progressStatus": "IN_PROGRESS", "diagnosis": diagnosis}]


def _variation(row: Message, person: Message, identifiers: Mapping[str, str]) -> Message:
    gene, contig = row["gene"], row["contig"]
    if contig == "chrM":
        state = HOMOPLASMIC  # no mixture is drawn where a variant is planted
    elif row["copies"] == 2:
        state = HOMOZYGOUS
    elif ploidy(contig, person["sex"], row["start"]) == 1:
        state = HEMIZYGOUS
    else:
        state = HETEROZYGOUS
    descriptor = {
        "id": f"{contig}-{row['start'] + 1}-{row['ref']}-{row['alt']}",
        "label": f"{gene} {row['name']}".strip(),
        "vcfRecord": {
            "genomeAssembly": "GRCh38",
            "chrom": contig,
            "pos": str(row["start"] + 1),  # an unsigned 64-bit number is text in protobuf JSON
            "ref": row["ref"],
            "alt": row["alt"],
        },
        "moleculeContext": "genomic",
        "allelicState": state,
    }
    if gene in identifiers:
        descriptor["geneContext"] = {"valueId": identifiers[gene], "symbol": gene}
    return descriptor
