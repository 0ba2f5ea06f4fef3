"""The is-a relations of Mondo for the diseases that the library ships with.

The table names the source of each relation. Nodes read it; the truth has a copy of its own.
Of a disease that is not in the table only the name is known.
"""

from pathlib import Path

# columns: term, label, parent, parent_label, source
IS_A = Path(__file__).parent / "data" / "mondo_is_a.tsv"
