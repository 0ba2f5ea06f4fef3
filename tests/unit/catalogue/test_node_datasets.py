"""The catalogue of a node on disk."""

from docs_build.http_api import node_document
from rehearsal.catalogue.node_datasets import BEACON, HTSGET, INDIVIDUALS, write_node_catalogue


def test_files_are_the_same_however_often_they_are_written(descriptors, tmp_path):
    for name in ("one", "two"):
        write_node_catalogue(tmp_path / name, descriptors, "0.1")
    for file in (tmp_path / "one/catalogue").iterdir():
        assert file.read_bytes() == (tmp_path / "two/catalogue" / file.name).read_bytes()


def test_every_address_of_a_distribution_is_a_path_of_the_node():
    served = node_document()["paths"]
    for one in (BEACON, INDIVIDUALS, HTSGET):
        assert "get" in served[f"/{one.path}"]
