"""A shipped file with one part changed, which a reader must refuse in one line."""

import pytest

from rehearsal.errors import InputError


def refusal_of_change(shipped, old, new, read, folder, complaint=""):
    """Return what a reader says of a copy in which ``old`` became ``new``: one line with its path.

    ``complaint`` is a pattern that the line must have.
    """
    text = shipped.read_text()
    assert old in text
    path = folder / shipped.name
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=complaint) as caught:
        read(path)
    said = str(caught.value)
    assert "\n" not in said and str(path) in said
    return said
