"""The is-a relations of Mondo for the diseases that the library ships with.

The table names the source of each relation. Nodes and the truth read it with code of their own.
Of a disease that is not in the table only the name is known.
"""

from pathlib import Path

# columns: term, label, parent, parent_label, source
IS_A = Path(__file__).parent / "data" / "mondo_is_a.tsv"
