"""Which disease is a kind of which: relations out of Mondo, for the diseases that come with us.

The table says where each is from. Nodes and the truth read it with code of their own. Of a disease
that it does not have nothing is known but its name.
"""

from pathlib import Path

# columns: term, label, parent, parent_label, source
IS_A = Path(__file__).parent / "data" / "mondo_is_a.tsv"
