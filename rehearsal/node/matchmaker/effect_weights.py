"""How strongly a rare variant speaks for its gene, by what it changes.

Weights: those that Exomiser gives variants without a predicted pathogenicity (exomiser/Exomiser
189b713e, VariantEffectPathogenicityScore.java, lines 37 to 74). Its 0 for all other effects is
``LEAST`` here: the gene is shared, but nothing says that the variant damages it.
"""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.genomes.consequence_terms import BY_LABEL

LEAST = 0.1  # also where it is not known what a variant changes, as at nodes built from VCF
_WEIGHTS = {
    "transcript_ablation": 1.0,
    "splice_acceptor_variant": 1.0,
    "splice_donor_variant": 1.0,
    "stop_gained": 1.0,
    "frameshift_variant": 1.0,
    "stop_lost": 1.0,
    "start_lost": 1.0,
    "transcript_amplification": 1.0,
    "feature_elongation": 0.85,
    "feature_truncation": 0.85,
    "inframe_insertion": 0.85,
    "inframe_deletion": 0.85,
    "splice_region_variant": 0.8,
    "missense_variant": 0.6,
}
_BY_TERM = {BY_LABEL[label].accession: weight for label, weight in _WEIGHTS.items()}


def weight_of(terms: Iterable[str]) -> float:
    """Return the weight of a variant: that of its most severe effect.

    Args:
        terms: Terms of the Sequence Ontology.

    Returns:
        The weight, from ``LEAST`` to 1.
    """
    return max((_BY_TERM.get(term, LEAST) for term in terms), default=LEAST)
