"""The node's secret key."""

import pytest

from rehearsal.errors import InputError
from rehearsal.node.privacy.secret_key import secret_key


def test_the_secret_is_created_once_and_refused_when_readable_by_others(tmp_path):
    key = secret_key(tmp_path)
    assert len(key) == 32 and secret_key(tmp_path) == key
    (tmp_path / "privacy.key").chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        secret_key(tmp_path)
