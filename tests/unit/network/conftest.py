import pytest

from .in_process import Asked


@pytest.fixture(scope="package")
def asked(tmp_path_factory):
    """Three nodes and their network, in this process."""
    return Asked(tmp_path_factory.mktemp("network"))
