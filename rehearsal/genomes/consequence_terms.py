"""The terms of the Sequence Ontology for consequences, and their short names in BCSQ.

Accessions and the order of severity: Ensembl's table of calculated consequences (the documentation
of the Variant Effect Predictor). Short names: the manual of ``bcftools csq``.
"""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """One kind of consequence."""

    accession: str  # in the Sequence Ontology
    label: str  # in the Sequence Ontology
    short: str  # in BCSQ


TERMS = (  # the most severe first
    Term("SO:0001893", "transcript_ablation", "transcript_ablation"),
    Term("SO:0001574", "splice_acceptor_variant", "splice_acceptor"),
    Term("SO:0001575", "splice_donor_variant", "splice_donor"),
    Term("SO:0001587", "stop_gained", "stop_gained"),
    Term("SO:0001589", "frameshift_variant", "frameshift"),
    Term("SO:0001578", "stop_lost", "stop_lost"),
    Term("SO:0002012", "start_lost", "start_lost"),
    Term("SO:0001889", "transcript_amplification", "transcript_amplification"),
    Term("SO:0001907", "feature_elongation", "feature_elongation"),
    Term("SO:0001906", "feature_truncation", "feature_truncation"),
    Term("SO:0001821", "inframe_insertion", "inframe_insertion"),
    Term("SO:0001822", "inframe_deletion", "inframe_deletion"),
    Term("SO:0001583", "missense_variant", "missense"),
    Term("SO:0001630", "splice_region_variant", "splice_region"),
    Term("SO:0002019", "start_retained_variant", "start_retained"),
    Term("SO:0001567", "stop_retained_variant", "stop_retained"),
    Term("SO:0001819", "synonymous_variant", "synonymous"),
    Term("SO:0001580", "coding_sequence_variant", "coding_sequence"),
    Term("SO:0001623", "5_prime_UTR_variant", "5_prime_utr"),
    Term("SO:0001624", "3_prime_UTR_variant", "3_prime_utr"),
    Term("SO:0001792", "non_coding_transcript_exon_variant", "non_coding"),
    Term("SO:0001627", "intron_variant", "intron"),
)
BY_LABEL = {term.label: term for term in TERMS}
SEVERITY = {term.label: rank for rank, term in enumerate(TERMS)}

# a copy with one of these most likely makes no working protein
LOSS_OF_FUNCTION = frozenset(
    {
        "transcript_ablation",
        "splice_acceptor_variant",
        "splice_donor_variant",
        "stop_gained",
        "frameshift_variant",
        "start_lost",
        "feature_truncation",  # a structural variant that takes bases of an exon away
    }
)


def by_severity(labels: set[str]) -> list[Term]:
    """Order terms, the most severe first.

    Args:
        labels: Labels of the terms.

    Returns:
        The terms.
    """
    return [BY_LABEL[label] for label in sorted(labels, key=SEVERITY.__getitem__)]
