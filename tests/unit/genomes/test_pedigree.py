"""Parents and generations of a table of people."""

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.pedigree import generations, parent_rows


def table(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "father", "mother"])


def test_generations_count_from_the_farthest_founder():
    people = table(
        ("grandchild", "father", "married-in"),
        ("father", "grandfather", "grandmother"),
        ("grandfather", None, None),
        ("grandmother", None, None),
        ("married-in", None, None),
    )
    father, mother = parent_rows(people)
    assert father.tolist() == [1, 2, -1, -1, -1]
    assert generations(father, mother).tolist() == [2, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("child", "nobody", "mum"), ("mum", None, None)],
            "father: expected ids of people in the table, found 'nobody'",
        ),
        (
            [("child", None, "mum"), ("mum", None, None)],
            "both parents or neither, found one parent of child",
        ),
        ([("a", "b", "c"), ("b", "a", "c"), ("c", None, None)], "a pedigree without cycles"),
    ],
)
def test_an_impossible_pedigree_is_refused(rows, message):
    with pytest.raises(InputError, match=message):
        generations(*parent_rows(table(*rows)))
