"""What every test may ask for."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rdflib import Graph

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # docs_build is no part of the installed package


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of official schemas beside the checkout; tests that want it skip without it."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip("no ../shared beside the checkout: official schemas are not available")
    return path


@pytest.fixture(scope="session")
def gdi_shapes(shared) -> Callable[..., Graph]:
    """Reads SHACL shapes of GDI: those of a folder, but for a file that is to be left out."""

    def read(folder: str, leaving_out: str = "") -> Graph:
        found = Graph()
        for file in sorted((shared / "reference/schemas/gdi" / folder).glob("*.ttl")):
            if file.name != leaving_out:
                # some of the files use prefixes that they do not name
                own = "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n@prefix : <urn:shapes:> .\n"
                found.parse(data=own + file.read_text(), format="turtle")
        return found

    return read
