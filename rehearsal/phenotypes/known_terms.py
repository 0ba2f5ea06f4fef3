"""The numbers of all terms of HPO and Mondo, in runs of neighbours, obsolete and merged ones too.

HPO is that of the package ``hpo3`` 1.5.1 (2025-11-24) with the identifiers of
:mod:`rehearsal.phenotypes.hpo_merged`. Mondo (CC BY 4.0) is that of monarch-initiative/mondo
fad2512b, reports/class-stats.tsv, and of monarch-initiative/mondo-ingest acbf38df,
src/ontology/reports/mirror_signature-mondo.tsv. No other ontology is listed as a whole.
"""

from pathlib import Path

KNOWN = Path(__file__).parent / "data" / "known_terms.tsv"  # columns: ontology, first, last
